//! What an audit found.

use serde::Serialize;

use crate::ids::AccountId;

/// How many differences are told one by one; the others are counted.
const MOST: usize = 100;

/// Something that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What should be true.
    pub check: &'static str,
    /// In which account; none: in the database itself.
    pub account_id: Option<AccountId>,
    /// Of what it is not.
    pub about: String,
    /// How the two sides differ.
    pub problem: String,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// What should be true.
    pub check: &'static str,
    /// Of how many it was asked.
    pub checked: i64,
    /// Of how many it is not true.
    pub differences: i64,
}

/// All checks.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// What was checked, in order.
    pub checks: Vec<Checked>,
    /// The first differences.
    pub differences: Vec<Difference>,
}

impl Report {
    /// Begins the next check.
    pub(super) fn begin(&mut self, check: &'static str) -> Findings<'_> {
        self.checks.push(Checked {
            check,
            checked: 0,
            differences: 0,
        });
        Findings {
            report: self,
            account: None,
        }
    }

    /// How many differences there are.
    pub fn count(&self) -> i64 {
        self.checks.iter().map(|check| check.differences).sum()
    }
}

/// What the check that is running finds.
#[derive(Debug)]
pub(super) struct Findings<'a> {
    report: &'a mut Report,
    account: Option<AccountId>,
}

impl Findings<'_> {
    /// What comes now is of this account.
    pub(super) fn of(&mut self, account: &AccountId) -> &mut Self {
        self.account = Some(*account);
        self
    }

    /// So many more were looked at.
    pub(super) fn looked_at(&mut self, rows: i64) {
        if let Some(check) = self.report.checks.last_mut() {
            check.checked += rows;
        }
    }

    /// One of them does not fit.
    pub(super) fn differs(&mut self, about: impl Into<String>, problem: impl Into<String>) {
        let Some(check) = self.report.checks.last_mut() else {
            return;
        };
        check.differences += 1;
        if self.report.differences.len() < MOST {
            self.report.differences.push(Difference {
                check: check.check,
                account_id: self.account,
                about: about.into(),
                problem: problem.into(),
            });
        }
    }

    /// A number is another one than it should be.
    pub(super) fn compare(&mut self, about: &str, of: &str, kept: i64, computed: i64) {
        if kept != computed {
            self.differs(about, format!("{of} is kept as {kept}, and is {computed}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_differences_are_counted_and_the_first_are_told() {
        let mut report = Report::default();
        for check in ["one", "two"] {
            let mut findings = report.begin(check);
            findings.looked_at(200);
            for n in 0..75 {
                findings.compare("it", "a number", n, -1);
                findings.compare("it", "a number", n, n);
            }
        }
        assert_eq!((report.count(), report.differences.len()), (150, MOST));
        assert_eq!(report.checks[1].differences, 75);
        assert_eq!(report.differences[99].check, "two");
    }
}
