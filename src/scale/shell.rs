//! Words as a shell takes them.

/// A word, in quotation marks where it needs them.
#[must_use]
pub fn word(word: &str) -> String {
    // A path of Windows is no quoted one.
    let plain =
        |letter: char| letter.is_alphanumeric() || "-_./:=,%+@".contains(letter) || cfg!(windows) && letter == '\\';
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// Words as one line.
#[must_use]
pub fn line(words: &[String]) -> String {
    words.iter().map(|one| word(one)).collect::<Vec<_>>().join(" ")
}

/// The words of a line; none where a quotation mark is not closed.
#[must_use]
pub fn words(line: &str) -> Option<Vec<String>> {
    shlex::split(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fault: a word with a space, a mark or nothing in it comes out of the shell as another one.
    #[test]
    fn a_line_is_taken_apart_as_it_was_put_together() {
        let own = ["a b", "", "it's", "$HOME", "a\\b", "\"q\"", "--mem=9M", "*", "é", "x;y", "~"].map(str::to_owned);
        assert_eq!(words(&line(&own)), Some(own.to_vec()));
        assert_eq!(words("--partition=a \"b c"), None);
        assert_eq!(word("--array=0-3,9"), "--array=0-3,9");
    }
}
