//! Which part a task is: from the variable that its engine sets.

/// The variables of the engines, and the number that each gives to its first task.
const VARIABLES: [(&str, u32); 6] = [
    ("SLURM_ARRAY_TASK_ID", 0),
    ("PARALLEL_SEQ", 1),
    ("HQ_TASK_ID", 0),
    ("PBS_ARRAY_INDEX", 0),
    ("JOB_COMPLETION_INDEX", 0),
    ("AWS_BATCH_JOB_ARRAY_INDEX", 0),
];

/// The number of the part, counted from 0, from the variables that `lookup` knows.
///
/// # Errors
/// A message with its remedy: if there is none, it is no number, or two of them say different things.
pub fn of_environment(lookup: impl Fn(&str) -> Option<String>) -> Result<u32, String> {
    const GIVE: &str = "\n  = help: give the part's number, counted from 0, such as `--index 3`";
    let mut found: Option<(&str, u32)> = None;
    for (name, first) in VARIABLES {
        let Some(text) = lookup(name) else { continue };
        let number = text.trim().parse::<u32>().ok().and_then(|number| number.checked_sub(first));
        let Some(number) = number else {
            return Err(format!("{name} is `{text}`, which is not the number of a task{GIVE}"));
        };
        match found {
            Some((other, same)) if same != number => {
                return Err(format!("{other} means part {same}, and {name} part {number}{GIVE}"));
            }
            _ => found = Some((name, number)),
        }
    }
    found.map(|(_, number)| number).ok_or_else(|| {
        let names: Vec<&str> = VARIABLES.iter().map(|(name, _)| *name).collect();
        format!("this process is no task of an array: none of {} is set{GIVE}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(set: &[(&str, &str)]) -> Result<u32, String> {
        of_environment(|name| set.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn each_engine_counts_in_its_own_way() {
        for (name, first) in VARIABLES {
            assert_eq!(of(&[(name, &(first + 5).to_string())]), Ok(5), "{name}");
        }
        assert_eq!(of(&[("PARALLEL_SEQ", "1")]), Ok(0));
    }

    /// Fault: a task in a task takes the number of the wrong one.
    #[test]
    fn what_two_engines_say_must_be_the_same() {
        assert_eq!(of(&[("SLURM_ARRAY_TASK_ID", "3"), ("PARALLEL_SEQ", "4")]), Ok(3));
        let fault = of(&[("SLURM_ARRAY_TASK_ID", "3"), ("PARALLEL_SEQ", "3")]).unwrap_err();
        assert!(fault.starts_with("SLURM_ARRAY_TASK_ID means part 3, and PARALLEL_SEQ part 2\n  = help"), "{fault}");
        for wrong in ["", "x", "-1", "4294967295"] {
            assert!(of(&[("PARALLEL_SEQ", wrong)]).is_ok() == (wrong == "4294967295"), "{wrong}");
        }
        assert!(of(&[("PARALLEL_SEQ", "0")]).is_err(), "it counts from 1");
        assert!(of(&[]).unwrap_err().contains("none of SLURM_ARRAY_TASK_ID, PARALLEL_SEQ"));
    }
}
