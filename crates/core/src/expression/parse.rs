//! A parser from tokens to a tree, by recursive descent.

use std::ops::Range;

use super::ExpressionError;
use super::token::{Token, tokens};

/// Largest depth of nested parentheses, signs and negations.
const DEEPEST: usize = 50;

#[derive(Debug, Clone)]
pub(super) enum Node {
    Number(f64),
    Name(usize),
    Negative(Box<Node>),
    Arithmetic(Arithmetic, Box<Node>, Box<Node>),
    Call(Function, Vec<Node>),
    /// Operands, each with its comparison to the previous operand; the comparison of the first is unused.
    Comparison(Vec<(Compare, Node)>),
    Not(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Modulo,
    Power,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Compare {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Function {
    Min,
    Max,
    Abs,
    Log,
    Sqrt,
}

const FUNCTIONS: [(&str, Function); 5] = [
    ("min", Function::Min),
    ("max", Function::Max),
    ("abs", Function::Abs),
    ("log", Function::Log),
    ("sqrt", Function::Sqrt),
];

const COMPARISONS: [(&str, Compare); 6] = [
    ("==", Compare::Equal),
    ("!=", Compare::NotEqual),
    ("<", Compare::Less),
    ("<=", Compare::LessEqual),
    (">", Compare::Greater),
    (">=", Compare::GreaterEqual),
];

/// The type of a part of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Truth,
}

/// A part of an expression with its type and its byte range.
struct TypedNode {
    node: Node,
    kind: Kind,
    span: Range<usize>,
}

/// Parses the text as a condition.
pub(super) fn condition(text: &str, names: &[&str]) -> Result<Node, ExpressionError> {
    complete(text, names, Kind::Truth)
}

/// Parses the text as an arithmetic expression.
pub(super) fn number(text: &str, names: &[&str]) -> Result<Node, ExpressionError> {
    complete(text, names, Kind::Number)
}

fn complete(text: &str, names: &[&str], kind: Kind) -> Result<Node, ExpressionError> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, end: text.len(), names, depth: 0 };
    let part = parser.any()?;
    if let Some((_, span)) = parser.tokens.get(parser.at) {
        let message = "unexpected text after the end of the expression".into();
        return Err(ExpressionError { span: span.clone(), message });
    }
    parser.expect(&part, kind)?;
    Ok(part.node)
}

struct Parser<'a> {
    tokens: Vec<(Token, Range<usize>)>,
    at: usize,
    end: usize,
    names: &'a [&'a str],
    depth: usize,
}

impl Parser<'_> {
    fn any(&mut self) -> Result<TypedNode, ExpressionError> {
        self.joined("or", Node::Or, |parser| parser.joined("and", Node::And, Self::negated))
    }

    /// Parses one or more conditions joined by `word`.
    fn joined(
        &mut self,
        word: &str,
        join: fn(Vec<Node>) -> Node,
        operand: impl Fn(&mut Self) -> Result<TypedNode, ExpressionError>,
    ) -> Result<TypedNode, ExpressionError> {
        let first = operand(self)?;
        if !self.peek_word(word) {
            return Ok(first);
        }
        self.expect(&first, Kind::Truth)?;
        let mut span = first.span;
        let mut parts = vec![first.node];
        while self.take_word(word) {
            let next = operand(self)?;
            self.expect(&next, Kind::Truth)?;
            span.end = next.span.end;
            parts.push(next.node);
        }
        Ok(TypedNode { node: join(parts), kind: Kind::Truth, span })
    }

    fn negated(&mut self) -> Result<TypedNode, ExpressionError> {
        let start = self.place().start;
        if !self.take_word("not") {
            return self.comparison();
        }
        let operand = self.deeper(Self::negated)?;
        self.expect(&operand, Kind::Truth)?;
        let span = start..operand.span.end;
        Ok(TypedNode { node: Node::Not(Box::new(operand.node)), kind: Kind::Truth, span })
    }

    fn comparison(&mut self) -> Result<TypedNode, ExpressionError> {
        let first = self.sum()?;
        let mut span = first.span.clone();
        let mut operands = vec![(Compare::Equal, first)];
        while let Some(compare) = self.take_symbol(&COMPARISONS) {
            let next = self.sum()?;
            span.end = next.span.end;
            operands.push((compare, next));
        }
        if operands.len() == 1 {
            return Ok(operands.remove(0).1);
        }
        for (_, operand) in &operands {
            self.expect(operand, Kind::Number)?;
        }
        let operands = operands.into_iter().map(|(compare, part)| (compare, part.node)).collect();
        Ok(TypedNode { node: Node::Comparison(operands), kind: Kind::Truth, span })
    }

    fn sum(&mut self) -> Result<TypedNode, ExpressionError> {
        const OPERATORS: [(&str, Arithmetic); 2] = [("+", Arithmetic::Add), ("-", Arithmetic::Subtract)];
        self.left_to_right(&OPERATORS, Self::product)
    }

    fn product(&mut self) -> Result<TypedNode, ExpressionError> {
        const OPERATORS: [(&str, Arithmetic); 4] = [
            ("*", Arithmetic::Multiply),
            ("/", Arithmetic::Divide),
            ("//", Arithmetic::FloorDivide),
            ("%", Arithmetic::Modulo),
        ];
        self.left_to_right(&OPERATORS, Self::signed)
    }

    fn left_to_right(
        &mut self,
        operators: &[(&str, Arithmetic)],
        operand: fn(&mut Self) -> Result<TypedNode, ExpressionError>,
    ) -> Result<TypedNode, ExpressionError> {
        let mut left = operand(self)?;
        while let Some(operator) = self.take_symbol(operators) {
            let right = operand(self)?;
            left = self.arithmetic(operator, left, right)?;
        }
        Ok(left)
    }

    fn arithmetic(
        &self,
        operator: Arithmetic,
        left: TypedNode,
        right: TypedNode,
    ) -> Result<TypedNode, ExpressionError> {
        self.expect(&left, Kind::Number)?;
        self.expect(&right, Kind::Number)?;
        let span = left.span.start..right.span.end;
        let node = Node::Arithmetic(operator, Box::new(left.node), Box::new(right.node));
        Ok(TypedNode { node, kind: Kind::Number, span })
    }

    fn signed(&mut self) -> Result<TypedNode, ExpressionError> {
        let start = self.place().start;
        match self.take_symbol(&[("-", true), ("+", false)]) {
            None => self.power(),
            Some(is_negative) => {
                let operand = self.deeper(Self::signed)?;
                self.expect(&operand, Kind::Number)?;
                let span = start..operand.span.end;
                let node = if is_negative { Node::Negative(Box::new(operand.node)) } else { operand.node };
                Ok(TypedNode { node, kind: Kind::Number, span })
            }
        }
    }

    /// Parses `**`, which binds tighter than a sign before it, less tight than one in the exponent, and from
    /// right to left.
    fn power(&mut self) -> Result<TypedNode, ExpressionError> {
        let base = self.atom()?;
        if self.take_symbol(&[("**", ())]).is_none() {
            return Ok(base);
        }
        let exponent = self.deeper(Self::signed)?;
        self.arithmetic(Arithmetic::Power, base, exponent)
    }

    fn atom(&mut self) -> Result<TypedNode, ExpressionError> {
        let span = self.place();
        let Some((token, _)) = self.tokens.get(self.at).cloned() else {
            return Err(self.unexpected("the expression ends too early"));
        };
        match token {
            Token::Number(number) => {
                self.at += 1;
                Ok(TypedNode { node: Node::Number(number), kind: Kind::Number, span })
            }
            Token::Symbol("(") => {
                self.at += 1;
                let inner = self.deeper(Self::any)?;
                let end = self.close()?;
                Ok(TypedNode { span: span.start..end, ..inner })
            }
            Token::Word(word) if ["and", "or", "not"].contains(&word.as_str()) => {
                Err(self.unexpected(&format!("expected a number or a name before `{word}`")))
            }
            Token::Word(word) => {
                self.at += 1;
                match FUNCTIONS.iter().find(|(name, _)| *name == word) {
                    Some((_, function)) => self.call(*function, &word, &span),
                    None => self.name(&word, span),
                }
            }
            Token::Symbol(symbol) => {
                Err(self.unexpected(&format!("expected a number or a name, not `{symbol}`")))
            }
        }
    }

    fn name(&self, word: &str, span: Range<usize>) -> Result<TypedNode, ExpressionError> {
        if let Some(place) = self.names.iter().position(|name| *name == word) {
            return Ok(TypedNode { node: Node::Name(place), kind: Kind::Number, span });
        }
        let message = format!("unknown name `{word}`; the known names are {}", self.names.join(", "));
        Err(ExpressionError { span, message })
    }

    fn call(
        &mut self,
        function: Function,
        word: &str,
        span: &Range<usize>,
    ) -> Result<TypedNode, ExpressionError> {
        if self.take_symbol(&[("(", ())]).is_none() {
            return Err(self.unexpected(&format!("`{word}` is a function: write `{word}(...)`")));
        }
        let mut arguments = Vec::new();
        loop {
            let argument = self.deeper(Self::any)?;
            self.expect(&argument, Kind::Number)?;
            arguments.push(argument.node);
            if self.take_symbol(&[(",", ())]).is_none() {
                break;
            }
        }
        let span = span.start..self.close()?;
        let takes_one = matches!(function, Function::Abs | Function::Log | Function::Sqrt);
        if takes_one && arguments.len() > 1 {
            let message = format!("`{word}` takes one number, not {}", arguments.len());
            return Err(ExpressionError { span, message });
        }
        Ok(TypedNode { node: Node::Call(function, arguments), kind: Kind::Number, span })
    }

    /// Parses the closing parenthesis and returns its end.
    fn close(&mut self) -> Result<usize, ExpressionError> {
        let end = self.place().end;
        match self.take_symbol(&[(")", ())]) {
            Some(()) => Ok(end),
            None => Err(self.unexpected("expected `)` here")),
        }
    }

    fn deeper(
        &mut self,
        parse: fn(&mut Self) -> Result<TypedNode, ExpressionError>,
    ) -> Result<TypedNode, ExpressionError> {
        if self.depth == DEEPEST {
            return Err(self.unexpected("the expression is nested too deeply"));
        }
        self.depth += 1;
        let part = parse(self);
        self.depth -= 1;
        part
    }

    #[expect(clippy::unused_self, reason = "reads as the other steps of the parser do")]
    fn expect(&self, part: &TypedNode, kind: Kind) -> Result<(), ExpressionError> {
        if part.kind == kind {
            return Ok(());
        }
        let message = match kind {
            Kind::Number => "expected a number, but this is true or false",
            Kind::Truth => "expected a condition, but this is a number: compare it with something",
        };
        Err(ExpressionError { span: part.span.clone(), message: message.into() })
    }

    fn unexpected(&self, message: &str) -> ExpressionError {
        ExpressionError { span: self.place(), message: message.into() }
    }

    /// The byte range of the next token, or the end of the text.
    fn place(&self) -> Range<usize> {
        self.tokens.get(self.at).map_or(self.end..self.end, |(_, span)| span.clone())
    }

    fn peek_word(&self, word: &str) -> bool {
        matches!(self.tokens.get(self.at), Some((Token::Word(found), _)) if found == word)
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.peek_word(word);
        self.at += usize::from(found);
        found
    }

    fn take_symbol<T: Copy>(&mut self, symbols: &[(&str, T)]) -> Option<T> {
        let Some((Token::Symbol(found), _)) = self.tokens.get(self.at) else { return None };
        let (_, meaning) = symbols.iter().find(|(symbol, _)| symbol == found)?;
        self.at += 1;
        Some(*meaning)
    }
}
