//! Tells whether a rule is the one that it was before a restart. Pure.

use crate::conditions::Conditions;
use crate::known::hash;
use crate::rule::Rule;

/// A number of all that a state hangs on: what is counted, by which limits, in which groups, and
/// who is told. Labels, texts, samples, mute windows and playbooks may change: an alert goes on.
pub(crate) fn definition(rule: &Rule) -> u64 {
    let Rule {
        kind,
        conditions,
        among,
        clears,
        threshold,
        below,
        window,
        hold_for,
        resolve_after,
        group_by,
        max_groups,
        severity,
        actions,
        ..
    } = rule;
    let events = [Some(conditions), among.as_ref(), clears.as_ref()].map(|one| one.map(asked));
    let actions: Vec<&str> = actions.iter().map(|action| &*action.name).collect();
    let limits = (kind, threshold, below, window, hold_for, resolve_after);
    let rest = (group_by, max_groups, severity, actions);
    hash([&*format!("{events:?} {limits:?} {rest:?}")])
}

/// In one form, however it is spelled.
fn asked(conditions: &Conditions) -> [Option<String>; 2] {
    let pattern = conditions.pattern.as_ref();
    let pattern = pattern.map(|pattern| pattern.as_str().to_owned());
    [conditions.query(), pattern]
}

#[cfg(test)]
mod tests {
    use super::definition;
    use crate::Rules;

    fn number(keys: &str) -> u64 {
        let yaml = format!("{{name: r, {keys}}}");
        definition(&Rules::parse(&yaml).unwrap().document.rules[0])
    }

    #[test]
    fn a_rule_is_another_when_what_its_state_hangs_on_changes_and_the_same_when_words_do() {
        let base = number("pattern: x, threshold: 3");
        for same in [
            "threshold: 3, pattern: x",
            "pattern: x, threshold: 3, labels: {team: a}",
            "pattern: x, threshold: 3, annotations: {runbook: y}, samples: 1",
            "pattern: x, threshold: 3, repeat_interval: 1h, window: 60s",
        ] {
            assert_eq!(number(same), base, "{same}");
        }
        for other in [
            "pattern: y, threshold: 3",
            "match: x, threshold: 3",
            "pattern: x, match: 'level>=error', threshold: 3",
            "pattern: x, threshold: 4",
            "pattern: x, threshold: 3, window: 61s",
            "pattern: x, threshold: 3, resolve_after: 1s",
            "pattern: x, threshold: 3, for: 1s",
            "pattern: x, threshold: 3, group_by: a",
            "pattern: x, threshold: 3, level: critical",
            "pattern: x, threshold: 3, clear: {below: 2}",
            "pattern: x, threshold: 3, clear: {match: 'y=1'}",
            "pattern: x, type: any",
            "pattern: x, type: absence",
        ] {
            assert_ne!(number(other), base, "{other}");
        }
    }
}
