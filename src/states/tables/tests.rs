use std::path::Path;

use super::*;

/// Fails when the states of a simulated pf are read from the file of a table, of either kind, or pf has no
/// table `states`.
#[test]
fn no_table_is_in_the_file_of_the_simulated_states() {
    let of_block = "[[table]]\nname = \"states\"\nlists = [\"b.x\"]\n";
    for (table, count) in [(of_block, 2), ("allow = \"states\"\n", 1)] {
        let tables = |backend: &str| {
            let text = format!(
                "device_id = \"tdid_abcd1234\"\n[policy]\nblock = [\"a.x\", \"b.x\"]\n\
                 [tables]\nbackend = \"{backend}\"\n{table}"
            );
            blocked(&Config::parse(&text, Path::new("F")).unwrap()).map(|all| all.len())
        };
        assert_eq!(tables("pf"), Ok(count));
        let why = tables("simulated").unwrap_err();
        assert!(why.starts_with("table \"states\": its file would be "), "{why}");
    }
}
