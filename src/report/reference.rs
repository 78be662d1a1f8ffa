//! The reference of scenario files, made of their JSON Schema.

use serde_json::{Map, Value};

use crate::scenario::file::File;

/// The JSON Schema of scenario files.
#[must_use]
pub fn schema() -> schemars::Schema {
    schemars::generate::SchemaSettings::draft07().into_generator().into_root_schema_for::<File>()
}

/// `docs/scenario.md`.
#[must_use]
pub fn markdown() -> String {
    let schema = schema().to_value();
    let mut text = "# Scenario files, field by field\n\n\
        A scenario is a TOML file. Every quantity has its unit: `\"100 Mbit/s\"`, `\"20 ms\"`, `\"30 kB\"`, `\"25 %\"`, `\"08:30\"`. \
        `headend check FILE` finds everything that is wrong at once; `headend schema` prints this as JSON Schema for editors.\n\n\
        Fields are optional unless `check` asks for them; what holds where one is left out stands in brackets.\n"
        .to_owned();
    text += "\n## The file\n\n";
    text += &fields(&schema);
    let empty = Map::new();
    let definitions = schema.get("definitions").and_then(Value::as_object).unwrap_or(&empty);
    let mut names: Vec<&String> = definitions.keys().collect();
    names.sort();
    for name in names {
        let definition = &definitions[name];
        text += &format!("\n## {name}\n\n{}\n", described(definition));
        text += &match definition.get("oneOf").or_else(|| definition.get("anyOf")).and_then(Value::as_array) {
            Some(choices) => self::choices(choices),
            None if definition.get("enum").is_some() => words(definition),
            None => fields(definition),
        };
    }
    text
}

/// A row for each field of a table.
fn fields(table: &Value) -> String {
    let Some(properties) = table.get("properties").and_then(Value::as_object).filter(|fields| !fields.is_empty())
    else {
        return String::new();
    };
    let mut text = "| field | value | meaning |\n|---|---|---|\n".to_owned();
    for (name, field) in properties {
        text += &format!("| `{name}` | {} | {} |\n", value(field), cell(&described(field)));
    }
    format!("\n{text}")
}

/// What may be written, one of several.
fn choices(choices: &[Value]) -> String {
    let mut text = "\n| one of | meaning |\n|---|---|\n".to_owned();
    for choice in choices {
        if choice.get("enum").is_some() {
            for word in choice.get("enum").and_then(Value::as_array).into_iter().flatten() {
                text += &format!("| `{word}` | {} |\n", cell(&described(choice)));
            }
            continue;
        }
        let shown = match choice.get("const") {
            Some(word) => format!("`{word}`"),
            None => table_of(choice),
        };
        text += &format!("| {shown} | {} |\n", cell(&described(choice)));
    }
    text
}

/// A table with one key, and what its value is.
fn table_of(choice: &Value) -> String {
    let keys = choice.get("properties").and_then(Value::as_object);
    let shown = keys.into_iter().flatten().map(|(key, field)| format!("`{key} =` {}", value(field)));
    let shown: Vec<String> = shown.collect();
    if shown.is_empty() { value(choice) } else { shown.join(", ") }
}

fn words(definition: &Value) -> String {
    let words = definition.get("enum").and_then(Value::as_array).into_iter().flatten();
    let words: Vec<String> = words.map(|word| format!("`{word}`")).collect();
    format!("\nOne of {}.\n", words.join(", "))
}

/// What a value is: its kind with an example, or the table that describes it.
fn value(field: &Value) -> String {
    if let Some(name) = field.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next()) {
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(choices) = field.get("anyOf").or_else(|| field.get("allOf")).and_then(Value::as_array) {
        let is_null = |choice: &&Value| choice.get("type").and_then(Value::as_str) == Some("null");
        let shown: Vec<String> = choices.iter().filter(|choice| !is_null(choice)).map(value).collect();
        return shown.join(" or ");
    }
    if let Some(what) = field.get("$comment").and_then(Value::as_str) {
        return cell(what);
    }
    match field.get("type").and_then(Value::as_str) {
        Some("array") => format!("a list of {}", field.get("items").map_or_else(String::new, value)),
        Some("object") => match field.get("additionalProperties") {
            Some(inner @ Value::Object(_)) => format!("a table of {}", value(inner)),
            _ => "a table".to_owned(),
        },
        Some(kind) => kind.to_owned(),
        None => String::new(),
    }
}

fn described(part: &Value) -> String {
    part.get("description").and_then(Value::as_str).unwrap_or_default().replace('\n', " ")
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
