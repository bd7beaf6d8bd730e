//! The instruction sets that kernels are compiled for, and which of them this process uses.

use std::env::VarError;
use std::fmt::{self, Display};
use std::sync::OnceLock;

/// Environment variable that names an instruction set to use instead of the widest.
pub const ISA_VARIABLE: &str = "ALLOMETRY_ISA";

/// Instructions that kernels use. Each has those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InstructionSet {
    /// Instructions that every processor of the target supports.
    Baseline,
    /// 256-bit vectors with fused products.
    Avx2,
    /// 512-bit vectors.
    Avx512,
    /// 512-bit vectors and their products of bf16 numbers.
    Avx512Bf16,
    /// Products of tiles of 16 x 32 bf16 numbers.
    Amx,
}

/// An instruction set that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IsaError {
    /// The variable names no instruction set.
    #[error("{ISA_VARIABLE} is `{word}`; it may be {}", listed(&InstructionSet::ALL))]
    Unknown {
        /// Value of the variable.
        word: String,
    },
    /// The processor, or the system, does not offer the instruction set.
    #[error("{ISA_VARIABLE} is `{asked}`, which {why}; there are {}", listed(&available()))]
    Missing {
        /// The instruction set that was asked for.
        asked: InstructionSet,
        /// Why it cannot be used.
        why: &'static str,
    },
}

impl InstructionSet {
    /// All instruction sets, from the narrowest.
    pub const ALL: [Self; 5] = [Self::Baseline, Self::Avx2, Self::Avx512, Self::Avx512Bf16, Self::Amx];

    /// Returns the word for the instruction set.
    pub fn word(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Avx512Bf16 => "avx512bf16",
            Self::Amx => "amx",
        }
    }

    /// Returns why this machine cannot use the instruction set, or `None` if it can.
    pub(super) fn missing(self) -> Option<&'static str> {
        const NOT_THERE: &str = "the processor lacks";
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            let avx512 = avx2
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512bw");
            let bf16 = avx512 && is_x86_feature_detected!("avx512bf16");
            match self {
                Self::Baseline => None,
                Self::Avx2 => (!avx2).then_some(NOT_THERE),
                Self::Avx512 => (!avx512).then_some(NOT_THERE),
                Self::Avx512Bf16 => (!bf16).then_some(NOT_THERE),
                Self::Amx if !bf16 || !super::bf16::packed::in_processor() => Some(NOT_THERE),
                Self::Amx => {
                    (!super::bf16::packed::permitted()).then_some("the system does not let this process use")
                }
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            (self != Self::Baseline).then_some(NOT_THERE)
        }
    }

    /// Returns the instruction set that this process uses: the one that [`ISA_VARIABLE`] names, or the widest
    /// of the machine.
    ///
    /// # Errors
    /// If the variable names an instruction set that does not exist or that the machine does not have.
    pub fn chosen() -> Result<Self, &'static IsaError> {
        static CHOSEN: OnceLock<Result<InstructionSet, IsaError>> = OnceLock::new();
        let choose = || match std::env::var(ISA_VARIABLE) {
            Ok(word) => Self::asked(&word),
            Err(VarError::NotPresent) => Ok(Self::widest()),
            Err(VarError::NotUnicode(word)) => {
                Err(IsaError::Unknown { word: word.to_string_lossy().into_owned() })
            }
        };
        CHOSEN.get_or_init(choose).as_ref().copied()
    }

    /// Returns the instruction set that kernels use: as [`chosen`](Self::chosen), or the widest if that is an
    /// error, of which the program tells before it trains anything.
    pub(crate) fn used() -> Self {
        Self::chosen().unwrap_or_else(|_| Self::widest())
    }

    /// Returns the widest instruction set of the machine.
    fn widest() -> Self {
        static WIDEST: OnceLock<InstructionSet> = OnceLock::new();
        *WIDEST.get_or_init(|| available().pop().unwrap_or(Self::Baseline))
    }

    fn asked(word: &str) -> Result<Self, IsaError> {
        let set = Self::ALL.into_iter().find(|set| set.word() == word);
        let asked = set.ok_or_else(|| IsaError::Unknown { word: word.into() })?;
        match asked.missing() {
            Some(why) => Err(IsaError::Missing { asked, why }),
            None => Ok(asked),
        }
    }
}

impl Display for InstructionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Returns the instruction sets of this machine, from the narrowest.
pub fn available() -> Vec<InstructionSet> {
    InstructionSet::ALL.into_iter().filter(|set| set.missing().is_none()).collect()
}

fn listed(sets: &[InstructionSet]) -> String {
    sets.iter().map(|set| format!("`{set}`")).collect::<Vec<_>>().join(", ")
}
