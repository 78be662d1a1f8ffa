//! JSON of monitoring systems and clouds, told apart by its keys.

use serde_json::Value;

use crate::telemetry::formats::{cloud, fortigate, librenms, meraki, prometheus, rrd, zabbix};
use crate::telemetry::reading::{Context, Found};

/// A reader of JSON: none where the file is of another kind; else what it says, or a sentence and its remedy.
type JsonReader = fn(&Value, &Context<'_>) -> Option<Result<Found, (String, String)>>;

/// What a JSON file says.
///
/// # Errors
/// A sentence and its remedy, where it is none of the known kinds.
pub fn read(text: &str, context: &Context<'_>) -> Result<Found, (String, String)> {
    // A fixture of an exporter begins with a comment.
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let text = if text.starts_with('#') { text.split_once('\n').map_or("", |(_, rest)| rest) } else { text };
    let value: Value = serde_json::from_str(text)
        .or_else(|fault| serde_json::from_str(&without_last_commas(text)).map_err(|_| fault))
        .map_err(|fault| {
            (format!("it is no JSON: {fault}"), "export it again; the file may be cut short".to_owned())
        })?;
    let readers: [JsonReader; 7] =
        [prometheus::read, rrd::read_json, meraki::read, cloud::read, librenms::read, fortigate::read, zabbix::read];
    readers.iter().find_map(|reader| reader(&value, context)).unwrap_or_else(|| {
        let keys: Vec<&str> = value.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).take(6).collect();
        let with = if keys.is_empty() { String::new() } else { format!(", with {}", keys.join(", ")) };
        let title = format!("a JSON file of a kind that is not known{with}");
        Err((title, "export it as CSV, with a column of times".to_owned()))
    })
}

/// A text without commas before a closing bracket, which some exporters leave.
fn without_last_commas(text: &str) -> String {
    let (mut plain, mut is_quoted, mut is_escaped) = (String::with_capacity(text.len()), false, false);
    for letter in text.chars() {
        if !is_quoted && [']', '}'].contains(&letter) {
            let kept = plain.trim_end();
            if kept.ends_with(',') {
                plain.truncate(kept.len() - 1);
            }
        }
        is_quoted ^= letter == '"' && !is_escaped;
        is_escaped = letter == '\\' && !is_escaped;
        plain.push(letter);
    }
    plain
}
