"""Node types of the tree-sitter grammars by what they stand for in any language."""

IMPORTS = frozenset((
    "future_import_statement", "import", "import_declaration", "import_from_statement",
    "import_header", "import_spec", "import_statement", "namespace_use_declaration",
    "package_clause", "package_declaration", "preproc_include", "use_declaration",
    "use_statement", "using_directive",
))  # fmt: skip

FUNCTIONS = frozenset((
    "arrow_function", "constructor_declaration", "function_declaration", "function_definition",
    "function_expression", "function_item", "generator_function_declaration", "init_declaration",
    "lambda", "method", "method_declaration", "method_definition", "singleton_method",
    "subroutine_declaration_statement",
))  # fmt: skip

CALLS = frozenset((
    "ambiguous_function_call_expression", "call", "call_expression", "command", "echo_statement",
    "function_call", "function_call_expression", "invocation_expression", "macro_invocation",
    "method_call", "method_invocation", "print_intrinsic",
))  # fmt: skip

VARIABLES = frozenset((
    "assignment", "assignment_expression", "assignment_statement", "augmented_assignment",
    "const_spec", "init_declarator", "let_declaration", "property_declaration",
    "short_var_declaration", "val_definition", "var_definition", "var_spec",
    "variable_declaration", "variable_declarator",
))  # fmt: skip
