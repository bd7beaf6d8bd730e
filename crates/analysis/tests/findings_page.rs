//! Tests that the page of findings states the severity of each code.

use allometry_analysis::FindingCode;

#[test]
fn the_page_has_the_severity_of_each_code() {
    let page = include_str!("../../../docs/reference/findings.md");
    for code in FindingCode::ALL {
        let row = format!("| `{code}` | {} |", code.severity().as_str());
        assert!(page.contains(&row), "docs/reference/findings.md has no row that begins {row}");
    }
}
