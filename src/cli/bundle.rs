//! A scenario with the files that it names, so that a folder has all that it takes to run it again elsewhere.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::scenario::checker::InputFile;

/// A scenario whose files lie beside it.
pub(super) struct Bundle {
    /// Its text; names of files are those of `inputs`.
    pub scenario: String,
    /// Path and content of each file that it names.
    pub inputs: Vec<(String, Vec<u8>)>,
}

impl Bundle {
    /// The scenario of this text with the files that it names, each under its own name.
    pub fn of(text: &str, files: &[InputFile]) -> Self {
        Self::named(text, files, |_, last| last.to_owned())
    }

    /// The same, with names that no other content has: files of many scenarios go into one folder, each once.
    pub fn addressed(text: &str, files: &[InputFile]) -> Self {
        Self::named(text, files, |bytes, last| format!("{}-{last}", &hex(&Sha256::digest(bytes))[..12]))
    }

    /// The scenario with files that are named by their content and the last part of their names.
    fn named(text: &str, files: &[InputFile], name: impl Fn(&[u8], &str) -> String) -> Self {
        let mut paths: BTreeMap<&str, String> = BTreeMap::new();
        let mut inputs = Vec::new();
        for file in files {
            if paths.contains_key(file.name.as_str()) {
                continue;
            }
            let last = file.name.rsplit(['/', '\\']).next().unwrap_or(&file.name);
            let last = name(&file.bytes, last);
            let taken = |path: &String| paths.values().any(|other| other.eq_ignore_ascii_case(path));
            let numbered = (2..).map(|number| format!("inputs/{number}-{last}"));
            let path = std::iter::once(format!("inputs/{last}")).chain(numbered).find(|path| !taken(path));
            let path = path.unwrap_or_default();
            paths.insert(&file.name, path.clone());
            inputs.push((path, file.bytes.clone()));
        }
        // From the last to the first, so that places stay right.
        let mut places: Vec<&InputFile> = files.iter().collect();
        places.sort_by_key(|file| std::cmp::Reverse(file.at.start));
        let mut scenario = text.to_owned();
        for file in places {
            scenario
                .replace_range(file.at.clone(), &toml::Value::String(paths[file.name.as_str()].clone()).to_string());
        }
        Self { scenario, inputs }
    }

    /// SHA-256 of the scenario followed by its files: what `cat scenario.toml FILES | sha256sum` says.
    pub fn hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(&self.scenario);
        self.inputs.iter().for_each(|(_, bytes)| hash.update(bytes));
        hash.finalize().into()
    }
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two files of one name in different folders stay apart, and one that is named twice is there once.
    #[test]
    fn files_of_one_name_stay_apart() {
        let text = "a = \"x/sites.csv\"\nb = 'y/sites.csv'\nc = \"x/sites.csv\"\n";
        let named = |name: &str, from: usize, byte: u8| InputFile {
            at: from..from + name.len() + 2,
            name: name.to_owned(),
            bytes: vec![byte],
        };
        let files = [named("x/sites.csv", 4, 1), named("y/sites.csv", 22, 2), named("x/sites.csv", 40, 1)];
        let bundle = Bundle::of(text, &files);
        assert_eq!(bundle.scenario, "a = \"inputs/sites.csv\"\nb = \"inputs/2-sites.csv\"\nc = \"inputs/sites.csv\"\n");
        assert_eq!(
            bundle.inputs,
            [("inputs/sites.csv".to_owned(), vec![1]), ("inputs/2-sites.csv".to_owned(), vec![2])]
        );
    }
}
