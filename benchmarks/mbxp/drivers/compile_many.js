// Compiles many TypeScript programs in one process: node compile_many.js TYPESCRIPT JOBS
//
// TYPESCRIPT is the compiler's folder and JOBS a file with one line a program: its folder, which
// holds main.ts. Each program is compiled on its own as by `tsc main.ts --target es5 --lib es2016`
// where @types/node is not installed; beside it are written main.js, compile.out (diagnostics) and
// last compile.exit, the status tsc would have ended with.
"use strict";
const fs = require("fs");
const path = require("path");
const [typescript, jobs] = process.argv.slice(2);
const ts = require(typescript);

const options = {
  target: ts.ScriptTarget.ES5,
  lib: ["lib.es2016.d.ts"],
  types: [],
};
const host = ts.createCompilerHost(options);
const parsed = new Map();
const readSource = host.getSourceFile;
// Declarations are parsed once for all programs; the programs' own files never.
host.getSourceFile = (name, ...rest) => {
  if (!name.endsWith(".d.ts")) return readSource(name, ...rest);
  if (!parsed.has(name)) parsed.set(name, readSource(name, ...rest));
  return parsed.get(name);
};

function compile(folder) {
  const program = ts.createProgram([path.join(folder, "main.ts")], options, host);
  const before = ts.getPreEmitDiagnostics(program);
  const emitted = program.emit();
  const all = ts.sortAndDeduplicateDiagnostics([...before, ...emitted.diagnostics]);
  const errors = all.filter((d) => d.category === ts.DiagnosticCategory.Error);
  const status = emitted.emitSkipped && errors.length ? 1 : errors.length ? 2 : 0;
  return [status, ts.formatDiagnostics(all, host)];
}

for (const folder of fs.readFileSync(jobs, "utf8").split("\n").filter(Boolean)) {
  let answer;
  try {
    answer = compile(folder);
  } catch (error) {
    answer = [70, String(error && error.stack)];
  }
  fs.writeFileSync(path.join(folder, "compile.out"), answer[1].slice(0, 20000));
  fs.writeFileSync(path.join(folder, "compile.exit"), String(answer[0]));
}
