//! Each way to weaken a test, and beside it an honest change that must pass.

use super::*;

fn said(path: &str, old: &str, new: Option<&str>) -> Vec<String> {
    weakened(&[(path.to_string(), old.to_string(), new.map(str::to_string))])
}

const RUST: &str = "#[test]\nfn adds() {\n    assert_eq!(add(), 2);\n    assert!(wait());\n}\n\n\
    fn help() {\n    assert!(1 < 2);\n}\n\n#[tokio::test]\nasync fn waits() {\n    assert!(wait());\n}\n";

#[test]
fn unchanged_and_stronger_tests_are_fine() {
    assert_eq!(said("a.rs", RUST, Some(RUST)), Vec::<String>::new());
    let more = RUST.replace("assert!(wait());", "assert!(wait()); assert!(2 < 3);");
    assert_eq!(said("a.rs", RUST, Some(&more)), Vec::<String>::new());
    let helped = RUST.replace("assert!(1 < 2)", "let _ = 3");
    assert_eq!(said("a.rs", RUST, Some(&helped)), Vec::<String>::new());
}

#[test]
fn rust_tests_weakened() {
    assert_eq!(
        said("a.rs", RUST, Some(&RUST.replace("#[test]", "#[test]\n#[ignore = \"slow\"]"))),
        ["a.rs: the test `adds` is skipped now"]
    );
    assert_eq!(
        said("a.rs", RUST, Some(&RUST.replace("#[tokio::test]\n", ""))),
        ["a.rs: the test `waits` was removed"]
    );
    assert_eq!(
        said("a.rs", RUST, Some(&RUST.replace("    assert_eq!(add(), 2);\n", ""))),
        ["a.rs: the test `adds` asserts less, 2 -> 1"]
    );
    assert_eq!(said("a.rs", RUST, None), ["a.rs: the file was deleted with 2 tests in it"]);
    assert_eq!(
        said("a.rs", "", Some("#[test]\n#[ignore]\nfn new() {}\n")),
        ["a.rs: the new test `new` is skipped"]
    );
    let commented =
        RUST.replace("    assert!(wait());\n}\n\nfn", "    // assert!(wait());\n}\n\nfn");
    assert_eq!(
        said("a.rs", RUST, Some(&commented)),
        ["a.rs: the test `adds` asserts less, 2 -> 1"]
    );
}

#[test]
fn a_test_that_moved_to_another_file_is_not_removed() {
    let texts = [
        ("a.rs".to_string(), RUST.to_string(), None),
        ("b.rs".to_string(), String::new(), Some(RUST.to_string())),
    ];
    assert_eq!(weakened(&texts), Vec::<String>::new());
}

#[test]
fn python_tests_weakened() {
    let old = "class T:\n    def test_a(self):\n        assert f() == 1\n\n    def test_b(self):\n        self.assertEqual(g(), 1)\n";
    let skipped = old.replace("    def test_a", "    @pytest.mark.skip\n    def test_a");
    assert_eq!(said("t.py", old, Some(&skipped)), ["t.py: the test `test_a` is skipped now"]);
    let inside = old.replace("assert f() == 1", "pytest.skip('no'); assert f() == 1");
    assert_eq!(said("t.py", old, Some(&inside)), ["t.py: the test `test_a` is skipped now"]);
    let less = old.replace("self.assertEqual(g(), 1)", "pass");
    assert_eq!(said("t.py", old, Some(&less)), ["t.py: the test `test_b` asserts less, 1 -> 0"]);
}

/// As in any file of unittest's: each class has its own test of that name.
#[test]
fn tests_of_one_name_are_told_apart() {
    let two = "class A:\n    def test_a(self):\n        assert f() == 1\n        assert f() == 2\n\n\
               class B:\n    def test_a(self):\n        assert g() == 1\n";
    let swapped = "class B:\n    def test_a(self):\n        assert g() == 1\n\n\
                   class A:\n    def test_a(self):\n        assert f() == 1\n        assert f() == 2\n";
    assert_eq!(said("t.py", two, Some(two)), Vec::<String>::new());
    assert_eq!(said("t.py", two, Some(swapped)), Vec::<String>::new());
    let more = two.replace("assert g() == 1\n", "assert g() == 1\n        assert g() == 2\n");
    assert_eq!(said("t.py", two, Some(&more)), Vec::<String>::new());
    let less = two.replace("        assert f() == 2\n", "");
    assert_eq!(said("t.py", two, Some(&less)), ["t.py: the test `test_a` asserts less, 2 -> 1"]);
    let (first, _) = two.split_once("class B").unwrap();
    assert_eq!(said("t.py", two, Some(first)), ["t.py: the test `test_a` was removed"]);
}

#[test]
fn script_tests_weakened() {
    let old = "describe('x', () => {\n  it('adds', () => {\n    expect(f()).toBe(1)\n  })\n  test(\"b\", () => {\n    expect(2)\n  })\n})\n";
    assert_eq!(
        said("a.test.ts", old, Some(&old.replace("it('adds'", "it.skip('adds'"))),
        ["a.test.ts: the test `adds` is skipped now"]
    );
    assert_eq!(
        said("a.test.ts", old, Some(&old.replace("describe(", "describe.skip("))),
        ["a.test.ts: the test `adds` is skipped now", "a.test.ts: the test `b` is skipped now"]
    );
    assert_eq!(
        said("a.test.ts", old, Some(&old.replace("test(\"b\"", "other(\"b\""))),
        ["a.test.ts: the test `b` was removed"]
    );
}

#[test]
fn go_tests_weakened() {
    let old = "func TestA(t *testing.T) {\n\tif f() != 1 {\n\t\tt.Fatal(\"no\")\n\t}\n}\n\nfunc help() {\n}\n";
    let skipped = old.replace("\tif f()", "\tt.Skip()\n\tif f()");
    assert_eq!(
        said("a_test.go", old, Some(&skipped)),
        ["a_test.go: the test `TestA` is skipped now"]
    );
    let less = old.replace("t.Fatal(\"no\")", "return");
    assert_eq!(
        said("a_test.go", old, Some(&less)),
        ["a_test.go: the test `TestA` asserts less, 1 -> 0"]
    );
    let gone = old.replace("func TestA(t *testing.T)", "func testA()");
    assert_eq!(said("a_test.go", old, Some(&gone)), ["a_test.go: the test `TestA` was removed"]);
}

/// Each pair: an honest change of the test, and a dishonest one with what is said of it.
fn twins(path: &str, old: &str, pairs: &[(&str, &str, &str)]) {
    for (honest, liar, sentence) in pairs {
        assert_eq!(said(path, old, Some(honest)), Vec::<String>::new(), "honest: {honest}");
        let found = said(path, old, Some(liar));
        assert_eq!(found, [format!("{path}: {sentence}")], "liar: {liar}");
    }
}

#[test]
fn rust_twins() {
    let old = "#[test]\nfn adds() {\n    let sum = add(1, 2);\n    assert_eq!(sum, 3);\n}\n";
    let with = |text: &str| old.replace("assert_eq!(sum, 3);", text);
    let always = "the test `adds` asserts what is always true now";
    let skipped = "the test `adds` is skipped now";
    twins(
        "a.rs",
        old,
        &[
            (&with("assert!(sum == 3);"), &with("assert!(true);"), always),
            (&with("assert_eq!(3, sum);"), &with("assert_eq!(sum, sum);"), always),
            (&with("assert!(sum == 3 || odd);"), &with("assert!(sum == 3 || true);"), always),
            (
                &with("assert_eq!(sum, 3, \"it adds\");"),
                &with("assert_eq!(1, 1, \"it adds\");"),
                always,
            ),
            (
                &old.replace(
                    "    let sum",
                    "    if cfg!(miri) {\n        return;\n    }\n    let sum",
                ),
                &old.replace("    let sum", "    return;\n    let sum"),
                skipped,
            ),
            (
                &old.replace("#[test]\n", "#[test]\n#[cfg(unix)]\n"),
                &old.replace("#[test]\n", "#[test]\n#[cfg(any())]\n"),
                skipped,
            ),
            (
                &old.replace("#[test]\n", "/// It adds.\n#[test]\n"),
                &old.replace("#[test]\n", "#[test]\n#[should_panic]\n"),
                "the test `adds` passes by a panic now",
            ),
        ],
    );
}

#[test]
fn python_twins() {
    let old = "import f\n\nclass TestF:\n    def test_a(self):\n        assert f.f() == 1\n\ndef test_b():\n    assert f.g()\n";
    let with = |text: &str| old.replace("assert f.f() == 1", text);
    let always = "the test `test_a` asserts what is always true now";
    let skipped = "the test `test_a` is skipped now";
    twins(
        "test_f.py",
        old,
        &[
            (&with("assert 1 == f.f()"), &with("assert True"), always),
            (&with("assert f.f() == 1, 'one'"), &with("assert 1 == 1, \"one\""), always),
            (&with("assert (f.f() == 1)"), &with("assert f.f() == 1 or True"), always),
            (&with("self.assertEqual(f.f(), 1)"), &with("self.assertEqual(1, 1)"), always),
            (&with("self.assertTrue(f.f() == 1)"), &with("self.assertTrue(True)"), always),
            (
                &with("x = f.f()\n        assert x == 1"),
                &with("return\n        assert f.f() == 1"),
                skipped,
            ),
            (
                &with("with f.no_xfail():\n            assert f.f() == 1"),
                &with("pytest.xfail('later')\n        assert f.f() == 1"),
                skipped,
            ),
            (
                &old.replace("class TestF", "@pytest.mark.slow\nclass TestF"),
                &old.replace("class TestF", "@unittest.skip('later')\nclass TestF"),
                skipped,
            ),
            (
                &old.replace("TestF:\n", "TestF:\n    __slots__ = ()\n"),
                &old.replace("TestF:\n", "TestF:\n    __test__ = False\n"),
                skipped,
            ),
            (
                &old.replace(
                    "    def test_a",
                    "    @pytest.mark.parametrize('n', [1])\n    def test_a",
                ),
                &old.replace("    def test_a", "    @pytest.mark.xfail\n    def test_a"),
                skipped,
            ),
            (
                &old.replace(
                    "    def test_a",
                    "    def helper(self):\n        pass\n\n    def test_a",
                ),
                &old.replace("def test_a", "def check_a"),
                "the test `test_a` was removed",
            ),
        ],
    );
    let whole = old.replace("import f\n", "import f\npytestmark = pytest.mark.skip\n");
    assert_eq!(said("test_f.py", old, Some(&whole)).len(), 2);
}

#[test]
fn script_twins() {
    let old =
        "describe('f', () => {\n  it('adds', () => {\n    expect(add(1, 2)).toBe(3);\n  });\n});\n";
    let with = |text: &str| old.replace("expect(add(1, 2)).toBe(3);", text);
    let always = "the test `adds` asserts what is always true now";
    let skipped = "the test `adds` is skipped now";
    let alone = "only the test `adds` runs now, the others are left out";
    twins(
        "f.test.ts",
        old,
        &[
            (&with("expect(add(1, 2)).toEqual(3);"), &with("expect(true).toBe(true);"), always),
            (&with("expect(add(1, 2) === 3).toBe(true);"), &with("expect(3).toEqual(3);"), always),
            (&with("assert.equal(add(1, 2), 3);"), &with("assert.ok(true);"), always),
            (
                &with("const n = add(1, 2);\n    expect(n).toBe(3);"),
                &with("return;\n    expect(add(1, 2)).toBe(3);"),
                skipped,
            ),
            (&old.replace("it(", "test("), &old.replace("it(", "it.only("), alone),
            (
                &old.replace("describe(", "suite("),
                &old.replace("describe(", "describe.only("),
                alone,
            ),
            (&old.replace("it(", "test("), &old.replace("it(", "fit("), alone),
            (
                &old.replace("it(", "test("),
                &old.replace("it('adds'", "it.skipIf(true)('adds'"),
                skipped,
            ),
            (&old.replace("it(", "test("), &old.replace("it(", "it.todo("), skipped),
            (&old.replace("it(", "test("), &old.replace("it(", "xit("), skipped),
            (&old.replace("it(", "test("), &old.replace("it(", "it.failing("), skipped),
        ],
    );
}

#[test]
fn go_twins() {
    let old = "package f\n\nfunc TestAdds(t *testing.T) {\n\tif add(1, 2) != 3 {\n\t\tt.Fatal(\"no\")\n\t}\n\tassert.Equal(t, 3, add(1, 2))\n}\n";
    let with = |text: &str| old.replace("assert.Equal(t, 3, add(1, 2))", text);
    let always = "the test `TestAdds` asserts what is always true now";
    let skipped = "the test `TestAdds` is skipped now";
    twins(
        "f_test.go",
        old,
        &[
            (&with("require.Equal(t, 3, add(1, 2))"), &with("assert.Equal(t, 3, 3)"), always),
            (&with("assert.True(t, add(1, 2) == 3)"), &with("assert.True(t, true)"), always),
            (
                &old.replace("t.Fatal(\"no\")", "t.Fatalf(\"%d\", add(1, 2))"),
                &old.replace("\tif add", "\tt.SkipNow()\n\tif add"),
                skipped,
            ),
            (
                &old.replace("package f", "//go:build linux\n\npackage f"),
                &old.replace("package f", "//go:build ignore\n\npackage f"),
                skipped,
            ),
            (
                &old.replace("\tif add", "\tt.Parallel()\n\tif add"),
                &old.replace("\tif add", "\treturn\n\tif add"),
                skipped,
            ),
        ],
    );
}

#[test]
fn a_new_test_that_proves_nothing_is_named() {
    for (path, empty, real) in [
        (
            "a.rs",
            "#[test]\nfn new() {\n    assert!(true);\n}\n",
            "#[test]\nfn new() {\n    assert!(f());\n}\n",
        ),
        ("test_a.py", "def test_new():\n    assert True\n", "def test_new():\n    assert f()\n"),
        (
            "a.test.js",
            "test('new', () => {\n  expect(1).toBe(1)\n})\n",
            "test('new', () => {\n  expect(f()).toBe(1)\n})\n",
        ),
        (
            "a_test.go",
            "func TestNew(t *testing.T) {\n\tassert.True(t, true)\n}\n",
            "func TestNew(t *testing.T) {\n\tassert.True(t, f())\n}\n",
        ),
    ] {
        let found = said(path, "", Some(empty));
        assert!(
            found.len() == 1 && found[0].ends_with("asserts only what is always true"),
            "{found:?}"
        );
        assert_eq!(said(path, "", Some(real)), Vec::<String>::new());
    }
    // A test that only must not panic asserts nothing, and says so honestly.
    assert_eq!(
        said("a.rs", "", Some("#[test]\nfn runs() {\n    run();\n}\n")),
        Vec::<String>::new()
    );
}

#[test]
fn a_runner_that_leaves_tests_out_is_named() {
    for (path, old, liar, honest) in [
        (
            "Cargo.toml",
            "[package]\n",
            "[package]\nautotests = false\n",
            "[package]\nedition = \"2024\"\n",
        ),
        (
            "a/pyproject.toml",
            "",
            "[tool.pytest.ini_options]\naddopts = \"--ignore=tests/slow\"\n",
            "[tool.pytest.ini_options]\naddopts = \"-q\"\n",
        ),
        ("tests/conftest.py", "", "collect_ignore = ['test_f.py']\n", "import pytest\n"),
        (
            "package.json",
            "{}",
            "{ \"jest\": { \"testPathIgnorePatterns\": [\"f\"] } }",
            "{ \"name\": \"f\" }",
        ),
    ] {
        assert!(reads(path));
        let found = said(path, old, Some(liar));
        assert!(found.len() == 1 && found[0].contains("left out"), "{path}: {found:?}");
        assert_eq!(said(path, old, Some(honest)), Vec::<String>::new());
        // What was there before is nobody's fault.
        assert_eq!(said(path, liar, Some(liar)), Vec::<String>::new());
    }
}

#[test]
fn test_paths_are_known_by_their_names() {
    for path in [
        "tests/a.rs",
        "src/x/tests.rs",
        "a/test_b.py",
        "b_test.go",
        "c.spec.ts",
        "web/__tests__/d.js",
        "e/conftest.py",
    ] {
        assert!(is_test_path(path), "{path}");
    }
    for path in ["src/lib.rs", "contest.py", "latest.go", "src/attests.rs", "testing.py"] {
        assert!(!is_test_path(path), "{path}");
    }
}
