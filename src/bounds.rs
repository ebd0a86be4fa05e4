//! The part of an account that a key may be bound to: a program, or one of its ambassadors. Rows say whose they are,
//! and filters narrow themselves; both must, or they do not compile.

use crate::ids::{AmbassadorId, ProgramId, Wanted};

/// A program, or one of its ambassadors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// The program.
    pub program: ProgramId,
    /// The ambassador; none: the whole program.
    pub ambassador: Option<AmbassadorId>,
}

/// A row that stands in a program.
pub trait Belongs {
    /// Every ambassador of the program may read it.
    const FOR_ALL: bool = false;

    /// The program.
    fn program(&self) -> &ProgramId;

    /// The ambassador whose it is, if it is one's.
    fn ambassador(&self) -> Option<&AmbassadorId>;
}

/// A row with a program and an ambassador.
macro_rules! belongs {
    ($row:ty) => {
        impl $crate::bounds::Belongs for $row {
            fn program(&self) -> &$crate::ids::ProgramId {
                &self.program_id
            }

            fn ambassador(&self) -> Option<&$crate::ids::AmbassadorId> {
                Some(&self.ambassador_id)
            }
        }
    };
}

impl Bounds {
    /// Whether the row may be changed.
    pub fn hold(&self, row: &impl Belongs) -> bool {
        let own = |ambassador| row.ambassador() == Some(ambassador);
        *row.program() == self.program && self.ambassador.as_ref().is_none_or(own)
    }

    /// Whether the row may be read.
    pub fn show<R: Belongs>(&self, row: &R) -> bool {
        self.hold(row) || (R::FOR_ALL && *row.program() == self.program)
    }

    /// Narrows a filter by program and one by ambassador.
    pub fn narrow(
        &self,
        program: &mut Option<Wanted<ProgramId>>,
        ambassador: &mut Option<Wanted<AmbassadorId>>,
    ) {
        match &self.ambassador {
            None => only(program, &self.program),
            Some(own) => only(ambassador, own),
        }
    }

    /// Narrows a filter by program of what every ambassador may read.
    pub fn narrow_program(&self, program: &mut Option<Wanted<ProgramId>>) {
        only(program, &self.program);
    }
}

/// `own` if that or nothing was wanted, else what names nothing.
fn only<T: PartialEq + Clone>(wanted: &mut Option<Wanted<T>>, own: &T) {
    let is_own = match wanted {
        None => true,
        Some(Wanted(id)) => id.as_ref() == Some(own),
    };
    *wanted = Some(Wanted(is_own.then(|| own.clone())));
}

/// A filter that selects from an account's rows.
pub trait Narrow: Sized {
    /// The same within `bounds`. None: it cannot be said, so bound keys have no such list.
    fn within(self, bounds: &Bounds) -> Option<Self>;
}

/// Filters with a `program_id` and a `student_id`; and those of lists that bound keys do not have.
macro_rules! narrow {
    ($filter:ty) => {
        impl $crate::bounds::Narrow for $filter {
            fn within(mut self, bounds: &$crate::bounds::Bounds) -> Option<Self> {
                bounds.narrow(&mut self.program_id, &mut self.student_id);
                Some(self)
            }
        }
    };
    ($filter:ty: never) => {
        impl $crate::bounds::Narrow for $filter {
            fn within(self, _: &$crate::bounds::Bounds) -> Option<Self> {
                None
            }
        }
    };
}

pub(crate) use {belongs, narrow};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Id;

    #[test]
    fn a_filter_asks_for_the_own_or_for_nothing() {
        let id = |text| ProgramId::from_outside(text).unwrap();
        for (asked, left) in [
            (None, Some("prog_1")),
            (Some(Wanted(Some(id("prog_1")))), Some("prog_1")),
            (Some(Wanted(Some(id("prog_2")))), None),
            (Some(Wanted(None)), None),
        ] {
            let mut wanted = asked;
            only(&mut wanted, &id("prog_1"));
            let left = Some(left.map(id));
            assert_eq!(wanted.map(|Wanted(id)| id), left);
        }
    }
}
