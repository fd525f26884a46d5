"""The function lengths that test_rooms.py holds the C++ sources to."""

from cxx_functions import function_lengths

SOURCE = """\
#include "a.h"  // {

namespace midline {
namespace {
struct Pair { int a, b; };
const int table[] = {1, 2};

template <class T> class Holder {
 public:
  explicit Holder(T t) : t_(t) {}
  int twice() const {
    auto f = [&](int i) {
      return 2 * i;
    };
    return f(t_);  // }
  }

 private:
  T t_;
};
}  // namespace

// Not part of the function.
template <int N>
inline __attribute__((always_inline)) int wide(int a,
                                               const char* b) {
  if (a) {
    return '{' + *"}";
  }
  return N;
}

bool Holder<int>::Inner::operator==(const Inner&) const { return true; }
}  // namespace midline
"""


def test_functions_and_methods_are_found_with_their_signature() -> None:
    assert list(function_lengths(SOURCE)) == [
        ("Holder", 10, 1),
        ("twice", 11, 6),
        ("wide", 24, 8),
        ("operator==", 33, 1),
    ]


def test_a_namespace_that_another_file_opens_or_closes_is_no_function() -> None:
    body = "int f() {\n  return 1;\n}\n"
    assert list(function_lengths("namespace a {\n" + body)) == [("f", 2, 3)]
    assert list(function_lengths(body + "}  // namespace a\n" + body)) == [("f", 1, 3), ("f", 5, 3)]
