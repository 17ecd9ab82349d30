//! Assertions that hold whatever the code does: a constant, a thing compared with itself.

/// Whether this statement asserts only what is always true.
pub(super) fn is_always_true(statement: &str) -> bool {
    let plain: String = statement.chars().filter(|it| !it.is_whitespace()).collect();
    let plain = plain.trim_end_matches([';', '}']);
    if plain.is_empty() {
        return false;
    }
    if let Some(inner) = plain.strip_prefix("iffalse{") {
        return !inner.is_empty();
    }
    if let Some((_, rest)) = plain.split_once("expect(") {
        return of_expect(rest);
    }
    match plain.split_once("assert") {
        // Python's statement has no parentheses of its own.
        Some(("" | "{", rest))
            if statement.trim_start_matches(['{', ' ']).starts_with("assert ") =>
        {
            is_true(rest.split(",\"").next().unwrap_or(rest))
        }
        Some((_, rest)) => of_call(rest),
        None => false,
    }
}

/// `true).toBe(true)`, `1).toEqual(1)`.
fn of_expect(rest: &str) -> bool {
    let Some((value, matcher)) = split_call(rest) else { return false };
    let Some((name, rest)) = matcher.trim_start_matches('.').split_once('(') else { return false };
    let expected = split_call(rest).map_or("", |it| it.0);
    match name {
        "toBe" | "toEqual" | "toStrictEqual" | "eq" => value == expected,
        "toBeTruthy" | "toBeDefined" => is_true(value),
        "toBeFalsy" => value == "false",
        _ => false,
    }
}

/// `!(true)`, `_eq!(1,1)`, `Equal(a,a)`, `True(t,true)`, `.ok(true)`.
fn of_call(rest: &str) -> bool {
    let Some((name, rest)) = rest.split_once('(') else { return false };
    let Some((inside, _)) = split_call(rest) else { return false };
    let mut values = arguments(inside);
    // Go's helpers are given the test first.
    if values.first().is_some_and(|it| matches!(*it, "t" | "b")) && 1 < values.len() {
        values.remove(0);
    }
    let name = name.trim_matches(['!', '.', '_']).to_lowercase();
    match (name.as_str(), values.as_slice()) {
        ("" | "true" | "ok" | "truthy" | "istrue", [value, ..]) => is_true(value),
        ("false" | "isfalse", [value, ..]) => matches!(*value, "false" | "False"),
        (
            "eq" | "equal" | "equals" | "strictequal" | "deepequal" | "deepstrictequal" | "exactly",
            [a, b, ..],
        ) => a == b,
        _ => false,
    }
}

/// What is always true as a condition.
fn is_true(text: &str) -> bool {
    let text = text.strip_prefix('(').and_then(|it| it.strip_suffix(')')).unwrap_or(text);
    let number = |it: &str| it.parse::<i64>().is_ok_and(|it| it != 0);
    if matches!(text, "true" | "True" | "!false" | "notFalse") || number(text) {
        return true;
    }
    if ["||true", "orTrue"].iter().any(|it| text.ends_with(it)) {
        return true;
    }
    let equal = ["===", "=="].iter().find_map(|it| text.split_once(it));
    equal.is_some_and(|(a, b)| a == b)
}

/// What stands before the parenthesis that closes a call, and what comes after it.
fn split_call(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0_u32;
    for (at, letter) in text.char_indices() {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' if depth == 0 => return Some((&text[..at], &text[at + 1..])),
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

fn arguments(inside: &str) -> Vec<&str> {
    let (mut depth, mut from, mut found) = (0_u32, 0, Vec::new());
    for (at, letter) in inside.char_indices() {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                found.push(&inside[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    found.push(&inside[from..]);
    found
}
