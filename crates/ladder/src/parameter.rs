//! The parameters of the built-in model that can be searched.

use super::spec::{LossKind, Normalize};

/// A parameter of the built-in model or of a command.
pub(crate) struct Parameter<'a> {
    pub(crate) name: &'a str,
    pub(crate) values: Values,
    pub(crate) allows: fn(f64) -> bool,
    pub(crate) allowed: &'static str,
    pub(crate) kind: Kind,
}

/// The type of a parameter's values.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Values {
    /// A whole number. Parameters that determine the architecture have these, because the architectures must
    /// be finitely many.
    Whole,
    Real,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A number, a truth value or a word.
    Any,
}

/// Where a parameter can be given.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Each budget must have it in its space.
    Required,
    /// It has a default, and can be in the space.
    Optional,
    /// It is a setting of `[model]` unless it is in the space of every budget.
    Setting,
    /// It is such a setting, and determines the size of the model.
    Shape,
}

impl Kind {
    /// Whether the parameter is a setting of `[model]` where it is not searched.
    pub(crate) fn is_setting(self) -> bool {
        matches!(self, Self::Setting | Self::Shape)
    }
}

pub(crate) const PARAMETERS: [Parameter<'static>; 15] = [
    whole("d_model", Kind::Required, |x| (1.0..=65_536.0).contains(&x), "from 1 to 65536"),
    whole("n_layers", Kind::Required, |x| (1.0..=1000.0).contains(&x), "from 1 to 1000"),
    whole("n_heads", Kind::Required, |x| (1.0..=1024.0).contains(&x), "from 1 to 1024"),
    whole("d_ff_ratio", Kind::Optional, |x| (1.0..=64.0).contains(&x), "from 1 to 64"),
    real("learning_rate", Kind::Optional, |x| x > 0.0 && x <= 10.0, "above 0 and at most 10"),
    real("dropout", Kind::Optional, |x| (0.0..1.0).contains(&x), "from 0 to below 1"),
    real("weight_decay", Kind::Optional, |x| (0.0..=100.0).contains(&x), "from 0 to 100"),
    whole("batch_size", Kind::Setting, |x| (1.0..=1e6).contains(&x), "from 1 to 1000000"),
    whole("epochs", Kind::Setting, |x| (1.0..=1e6).contains(&x), "from 1 to 1000000"),
    real("warmup_epochs", Kind::Setting, |x| (0.0..=1e6).contains(&x), "from 0 to 1000000"),
    word("loss", LossKind::NAMED.0),
    word("normalize", Normalize::NAMED.0),
    whole("context", Kind::Shape, |x| (1.0..=1e6).contains(&x), "from 1 to 1000000"),
    whole("patch", Kind::Shape, |x| (1.0..=1e6).contains(&x), "from 1 to 1000000"),
    whole("stride", Kind::Shape, |x| (1.0..=1e6).contains(&x), "from 1 to 1000000"),
];

const fn whole(
    name: &'static str,
    kind: Kind,
    allows: fn(f64) -> bool,
    allowed: &'static str,
) -> Parameter<'static> {
    Parameter { name, values: Values::Whole, allows, allowed, kind }
}

const fn real(
    name: &'static str,
    kind: Kind,
    allows: fn(f64) -> bool,
    allowed: &'static str,
) -> Parameter<'static> {
    Parameter { name, values: Values::Real, allows, allowed, kind }
}

/// A setting with these words as values.
const fn word(name: &'static str, words: &'static [&'static str]) -> Parameter<'static> {
    Parameter { name, values: Values::Word(words), allows: |_| true, allowed: "", kind: Kind::Setting }
}

impl<'a> Parameter<'a> {
    /// A parameter that a command interprets.
    pub(crate) fn of_command(name: &'a str) -> Self {
        Self {
            name,
            values: Values::Any,
            allows: f64::is_finite,
            allowed: "a finite number",
            kind: Kind::Optional,
        }
    }

    /// A list of values, for messages.
    pub(crate) fn example(&self) -> String {
        match self.values {
            Values::Word(words) => format!("{} = [\"{}\"]", self.name, words.join("\", \"")),
            _ => format!("{} = [2, 4, 8]", self.name),
        }
    }
}

/// The parameter `name` of the built-in model.
pub(crate) fn parameter(name: &str) -> Option<&'static Parameter<'static>> {
    const ALL: &[Parameter<'static>] = &PARAMETERS;
    ALL.iter().find(|parameter| parameter.name == name)
}
