//! The same small project in every language: it doubles numbers, and is wrong below nothing.

/// A project, what is wrong with it, and the test that shows it.
pub struct Project {
    /// The tool that it needs.
    pub tool: &'static str,
    pub files: &'static [(&'static str, &'static str)],
    /// Path, what is wrong, what would be right.
    pub fix: (&'static str, &'static str, &'static str),
    /// Path, its last line, and what is added after it.
    pub test: (&'static str, &'static str, &'static str),
    /// The new test, as a model may call it.
    pub name: &'static str,
    /// The same as the runner calls it.
    pub full: &'static str,
    /// Path, and a text that makes the tests impossible to load.
    pub broken: (&'static str, &'static str),
    /// Whether its tests can be chosen by name.
    pub chooses: bool,
}

const NUMBERS_JS: &str = "exports.double = (n) => {\n  if (n < 0) return n;\n  return n + n;\n};\n";
const FIX_JS: (&str, &str, &str) = ("src/numbers.js", "return n;", "return n + n;");
const NODE_TESTS: &str = "const { test } = require('node:test');\nconst assert = require('node:assert');\n\
    const { double } = require('../src/numbers.js');\n\
    test('doubles one', () => assert.equal(double(1), 2));\n\
    test('doubles nothing', () => assert.equal(double(0), 0));\n";
const NODE_NEW: &str =
    "test('doubles below nothing (it did not)', () => assert.equal(double(-2), -4));\n";
const NODE_LAST: &str = "test('doubles nothing', () => assert.equal(double(0), 0));\n";

pub const NODE: Project = Project {
    tool: "node",
    files: &[
        ("package.json", "{\"name\":\"numbers\",\"scripts\":{\"test\":\"node --test\"}}\n"),
        ("src/numbers.js", NUMBERS_JS),
        ("test/numbers.test.js", NODE_TESTS),
    ],
    fix: FIX_JS,
    test: ("test/numbers.test.js", NODE_LAST, NODE_NEW),
    name: "doubles below nothing (it did not)",
    full: "doubles below nothing (it did not)",
    broken: ("src/numbers.js", "exports.double = (n => {\n"),
    chooses: true,
};

/// With a package manager of its own, and a script that needs a shell.
pub const NODE_BY_PNPM: Project = Project {
    tool: "pnpm",
    files: &[
        (
            "package.json",
            "{\"name\":\"numbers\",\"scripts\":{\"test\":\"node --test 'test/numbers.test.js'\"}}\n",
        ),
        ("pnpm-lock.yaml", "lockfileVersion: '9.0'\n"),
        ("src/numbers.js", NUMBERS_JS),
        ("test/numbers.test.js", NODE_TESTS),
    ],
    chooses: false,
    ..NODE
};

pub const NODE_BY_YARN: Project = Project {
    tool: "yarn",
    files: &[
        ("package.json", "{\"name\":\"numbers\",\"scripts\":{\"test\":\"true && node --test\"}}\n"),
        ("yarn.lock", ""),
        ("src/numbers.js", NUMBERS_JS),
        ("test/numbers.test.js", NODE_TESTS),
    ],
    chooses: false,
    ..NODE
};

const JEST_LAST: &str = "test('doubles nothing', () => expect(double(0)).toBe(0));\n";
const JEST_NEW: &str = "describe('below nothing', () => {\n  test('doubles (too)', () => expect(double(-2)).toBe(-4));\n});\n";

pub const JEST: Project = Project {
    tool: "jest",
    files: &[
        (
            "package.json",
            "{\"name\":\"numbers\",\"scripts\":{\"test\":\"jest\"},\"devDependencies\":{\"jest\":\"29.7.0\"}}\n",
        ),
        (".gitignore", "node_modules\n"),
        ("src/numbers.js", NUMBERS_JS),
        (
            "test/numbers.test.js",
            "const { double } = require('../src/numbers.js');\n\
            test('doubles one', () => expect(double(1)).toBe(2));\n\
            test('doubles nothing', () => expect(double(0)).toBe(0));\n",
        ),
    ],
    fix: FIX_JS,
    test: ("test/numbers.test.js", JEST_LAST, JEST_NEW),
    name: "below nothing > doubles (too)",
    full: "test/numbers.test.js > below nothing > doubles (too)",
    broken: ("src/numbers.js", "exports.double = (n => {\n"),
    chooses: true,
};

pub const VITEST: Project = Project {
    tool: "vitest",
    files: &[
        (
            "package.json",
            "{\"name\":\"numbers\",\"scripts\":{\"test\":\"vitest\"},\"devDependencies\":{\"vitest\":\"3.2.4\"}}\n",
        ),
        (".gitignore", "node_modules\n"),
        (
            "src/numbers.js",
            "export const double = (n) => {\n  if (n < 0) return n;\n  return n + n;\n};\n",
        ),
        (
            "test/numbers.test.js",
            "import { describe, expect, test } from 'vitest';\n\
            import { double } from '../src/numbers.js';\n\
            test('doubles one', () => expect(double(1)).toBe(2));\n\
            test('doubles nothing', () => expect(double(0)).toBe(0));\n",
        ),
    ],
    ..JEST
};

const NUMBERS_PY: &str = "def double(n):\n    if n < 0:\n        return n\n    return n + n\n";
const FIX_PY: (&str, &str, &str) = ("numbers_.py", "        return n\n", "        return n + n\n");

pub const PYTEST: Project = Project {
    tool: "pytest",
    files: &[
        ("numbers_.py", NUMBERS_PY),
        ("requirements.txt", "# nothing\n"),
        (
            "tests/test_numbers.py",
            "from numbers_ import double\n\n\n\
            def test_one(tmp_path):\n    (tmp_path / 'x').write_text('x')\n    assert double(1) == 2\n\n\n\
            def test_nothing():\n    assert double(0) == 0\n",
        ),
        ("conftest.py", ""),
    ],
    fix: FIX_PY,
    test: (
        "tests/test_numbers.py",
        "    assert double(0) == 0\n",
        "\n\nclass TestBelow:\n    def test_two(self):\n        assert double(-2) == -4\n",
    ),
    name: "tests/test_numbers.py::TestBelow::test_two",
    full: "tests/test_numbers.py::TestBelow::test_two",
    broken: ("numbers_.py", "def double(n):\n"),
    chooses: true,
};

pub const UNITTEST: Project = Project {
    tool: "python3",
    files: &[
        ("numbers_.py", NUMBERS_PY),
        ("tests/__init__.py", ""),
        (
            "tests/test_numbers.py",
            "import unittest\n\nfrom numbers_ import double\n\n\n\
            class Numbers(unittest.TestCase):\n    def test_one(self):\n        self.assertEqual(double(1), 2)\n\n\
            \x20   def test_nothing(self):\n        self.assertEqual(double(0), 0)\n",
        ),
    ],
    fix: FIX_PY,
    test: (
        "tests/test_numbers.py",
        "        self.assertEqual(double(0), 0)\n",
        "\n    def test_two(self):\n        \"\"\"Below nothing.\"\"\"\n        self.assertEqual(double(-2), -4)\n",
    ),
    name: "Numbers.test_two",
    full: "tests.test_numbers.Numbers.test_two",
    broken: ("numbers_.py", "def double(n):\n"),
    chooses: true,
};

pub const GO: Project = Project {
    tool: "go",
    files: &[
        ("go.mod", "module example.org/numbers\n\ngo 1.21\n"),
        (
            "numbers.go",
            "package numbers\n\n// Double doubles.\nfunc Double(n int) int {\n\tif n < 0 {\n\t\treturn n\n\t}\n\treturn n + n\n}\n",
        ),
        (
            "numbers_test.go",
            "package numbers\n\nimport \"testing\"\n\n\
            func TestOne(t *testing.T) {\n\tif Double(1) != 2 {\n\t\tt.Error(Double(1))\n\t}\n}\n\n\
            func TestNothing(t *testing.T) {\n\tif Double(0) != 0 {\n\t\tt.Fail()\n\t}\n}\n",
        ),
    ],
    fix: ("numbers.go", "\t\treturn n\n", "\t\treturn n + n\n"),
    test: (
        "numbers_test.go",
        "\t\tt.Fail()\n\t}\n}\n",
        "\nfunc TestBelow(t *testing.T) {\n\tif Double(-2) != -4 {\n\t\tt.Error(Double(-2))\n\t}\n}\n",
    ),
    name: "TestBelow",
    full: "example.org/numbers.TestBelow",
    broken: ("numbers.go", "package numbers\n\nfunc Double(n int) int { return m }\n"),
    chooses: true,
};

const CHECK_SH: &str = "grep -q 'two = 2' numbers.txt\n";

pub const MAKE: Project = Project {
    tool: "make",
    files: &[
        ("Makefile", ".PHONY: test\ntest:\n\tsh check.sh\n"),
        ("check.sh", CHECK_SH),
        ("numbers.txt", "one = 1\ntwo = 3\n"),
    ],
    fix: ("numbers.txt", "two = 3", "two = 2"),
    test: ("", "", ""),
    name: "",
    full: "",
    broken: ("Makefile", "test:\n\tfalse\n"),
    chooses: false,
};

pub const JUST: Project = Project {
    tool: "just",
    files: &[
        ("justfile", "test:\n  sh check.sh\n"),
        ("check.sh", CHECK_SH),
        ("numbers.txt", "one = 1\ntwo = 3\n"),
    ],
    broken: ("justfile", "test:\n  false\n"),
    ..MAKE
};

impl Project {
    /// Whether its report counts tests.
    pub fn counts(&self) -> bool {
        !self.name.is_empty()
    }
}
