//! Lines of comma-separated values.

/// The fields of one line. A field may stand in double quotes; inside them a comma is text, and a
/// doubled quote is one quote.
pub fn fields(line: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut quoted = false;
    for it in line.chars() {
        match it {
            '"' => quoted = !quoted,
            ',' if !quoted => all.push(String::new()),
            _ => {
                if let Some(last) = all.last_mut() {
                    last.push(it);
                }
            }
        }
    }
    all
}
