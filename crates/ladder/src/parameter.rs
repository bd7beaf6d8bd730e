//! The parameters of the built-in model that can be searched.

/// A parameter of the built-in model or of a command.
pub(crate) struct Parameter<'a> {
    pub(crate) name: &'a str,
    pub(crate) number: Number,
    pub(crate) allows: fn(f64) -> bool,
    pub(crate) allowed: &'static str,
    /// Whether the parameter has no default in the model.
    pub(crate) required: bool,
}

/// The type of a parameter's values.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Number {
    /// A whole number: the parameter determines the architecture, and the architectures must be finitely
    /// many.
    Whole,
    Real,
    /// A number, a truth value or a word.
    Any,
}

pub(crate) const PARAMETERS: [Parameter<'static>; 7] = [
    Parameter {
        name: "d_model",
        number: Number::Whole,
        allows: |x| (1.0..=65_536.0).contains(&x),
        allowed: "from 1 to 65536",
        required: true,
    },
    Parameter {
        name: "n_layers",
        number: Number::Whole,
        allows: |x| (1.0..=1000.0).contains(&x),
        allowed: "from 1 to 1000",
        required: true,
    },
    Parameter {
        name: "n_heads",
        number: Number::Whole,
        allows: |x| (1.0..=1024.0).contains(&x),
        allowed: "from 1 to 1024",
        required: true,
    },
    Parameter {
        name: "d_ff_ratio",
        number: Number::Whole,
        allows: |x| (1.0..=64.0).contains(&x),
        allowed: "from 1 to 64",
        required: false,
    },
    Parameter {
        name: "learning_rate",
        number: Number::Real,
        allows: |x| x > 0.0 && x <= 10.0,
        allowed: "above 0 and at most 10",
        required: false,
    },
    Parameter {
        name: "dropout",
        number: Number::Real,
        allows: |x| (0.0..1.0).contains(&x),
        allowed: "from 0 to below 1",
        required: false,
    },
    Parameter {
        name: "weight_decay",
        number: Number::Real,
        allows: |x| (0.0..=100.0).contains(&x),
        allowed: "from 0 to 100",
        required: false,
    },
];

impl<'a> Parameter<'a> {
    /// A parameter that a command interprets.
    pub(crate) fn of_command(name: &'a str) -> Self {
        Self {
            name,
            number: Number::Any,
            allows: f64::is_finite,
            allowed: "a finite number",
            required: false,
        }
    }
}

/// Whether `name` is a parameter of the built-in model that can be searched.
pub(crate) fn is_parameter(name: &str) -> bool {
    PARAMETERS.iter().any(|p| p.name == name)
}
