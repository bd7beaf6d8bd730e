//! Evaluation of a graph by plain loops over the operators that the export writes, as ONNX defines them.
//!
//! It shares nothing with the kernels, so that both agree only if the graph computes what the model does.
//! Sums are in double precision; each operator's result is rounded to the element type of its output.

use std::collections::HashMap;

use super::message::{AttributeProto, Element, GraphProto, NodeProto, TensorProto};

/// Reason why a graph cannot be evaluated.
pub(super) type Problem = String;

/// A tensor, row-major. Its numbers are exact in double precision.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Array {
    pub(super) element: Element,
    pub(super) sizes: Vec<usize>,
    pub(super) values: Vec<f64>,
}

/// Returns every value of a graph by its name.
pub(super) fn evaluate(graph: &GraphProto, input: Array) -> Result<HashMap<String, Array>, Problem> {
    let name = graph.input.first().ok_or("there is no input")?.name.clone();
    let mut values = HashMap::from([(name, input)]);
    for tensor in &graph.initializer {
        values.insert(tensor.name.clone(), constant(tensor)?);
    }
    for node in &graph.node {
        let find = |name: &String| values.get(name).ok_or_else(|| format!("there is no value {name}"));
        let inputs = node.input.iter().map(find).collect::<Result<Vec<_>, _>>()?;
        let output = apply(node, &inputs).map_err(|problem| format!("{}: {problem}", node.name))?;
        let name = node.output.first().ok_or_else(|| format!("{} has no output", node.name))?;
        values.insert(name.clone(), output);
    }
    Ok(values)
}

fn constant(tensor: &TensorProto) -> Result<Array, Problem> {
    let element = Element::of(tensor.data_type.into()).ok_or("a constant of unknown type")?;
    let bytes = &tensor.raw_data;
    let values: Vec<f64> = match element {
        Element::Single => {
            bytes.as_chunks::<4>().0.iter().map(|bytes| f64::from(f32::from_le_bytes(*bytes))).collect()
        }
        Element::Double => bytes.as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect(),
        Element::Whole => {
            bytes.as_chunks::<8>().0.iter().map(|bytes| i64::from_le_bytes(*bytes) as f64).collect()
        }
    };
    let sizes: Vec<usize> = tensor.dims.iter().map(|&size| size as usize).collect();
    if sizes.iter().product::<usize>() != values.len() {
        return Err(format!("{} has {} numbers for the shape {sizes:?}", tensor.name, values.len()));
    }
    Ok(Array { element, sizes, values })
}

fn apply(node: &NodeProto, inputs: &[&Array]) -> Result<Array, Problem> {
    let find = |name: &str| node.attribute.iter().find(|attribute| attribute.name == name);
    let whole = |name: &str| find(name).and_then(|attribute| attribute.i).ok_or(format!("no {name}"));
    let list = |name: &str| find(name).map(|a: &AttributeProto| a.ints.clone()).ok_or(format!("no {name}"));
    match (node.op_type.as_str(), inputs) {
        ("Add", [a, b]) => a.broadcast(b, |a, b| a + b),
        ("Sub", [a, b]) => a.broadcast(b, |a, b| a - b),
        ("Mul", [a, b]) => a.broadcast(b, |a, b| a * b),
        ("Div", [a, b]) => a.broadcast(b, |a, b| a / b),
        ("Sqrt", [x]) => Ok(x.map(f64::sqrt)),
        ("Erf", [x]) => Ok(x.map(libm::erf)),
        ("Sigmoid", [x]) => Ok(x.map(|z| 1.0 / (1.0 + (-z).exp()))),
        ("Clip", [x, low, high]) => Ok(x.map(|value| value.clamp(low.values[0], high.values[0]))),
        ("Cast", [x]) => {
            let element = Element::of(whole("to")?).ok_or("an unknown type")?;
            Ok(Array { element, ..(*x).clone() }.rounded())
        }
        ("ReduceMean", [x]) => x.mean(&list("axes")?),
        ("Softmax", [x]) => Ok(x.softmax()),
        ("LayerNormalization", [x, gain, shift]) => {
            let epsilon = find("epsilon").and_then(|attribute| attribute.f).ok_or("no epsilon")?;
            Ok(x.layer_norm(gain, shift, f64::from(epsilon)))
        }
        ("MatMul", [a, b]) => a.multiply(b),
        ("Transpose", [x]) => x.transpose(&list("perm")?),
        ("Concat", parts) => Array::concatenated(parts, whole("axis")?),
        ("Gather", [x, places]) => x.gather(places, whole("axis")?),
        ("Reshape", [x, sizes]) => x.reshape(&sizes.values),
        (operator, _) => Err(format!("{operator} of {} inputs is not known", inputs.len())),
    }
}

impl Array {
    /// Returns the array with numbers rounded to its element type.
    fn rounded(mut self) -> Self {
        match self.element {
            Element::Single => self.values.iter_mut().for_each(|value| *value = f64::from(*value as f32)),
            Element::Whole => self.values.iter_mut().for_each(|value| *value = value.trunc()),
            Element::Double => {}
        }
        self
    }

    fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        let values = self.values.iter().map(|&value| f(value)).collect();
        Self { values, sizes: self.sizes.clone(), element: self.element }.rounded()
    }

    /// Applies `f` to each pair of numbers, where axes of size 1 or missing ones in front are repeated.
    fn broadcast(&self, other: &Self, f: impl Fn(f64, f64) -> f64) -> Result<Self, Problem> {
        let rank = self.sizes.len().max(other.sizes.len());
        let padded = |array: &Self| [vec![1; rank - array.sizes.len()], array.sizes.clone()].concat();
        let (a, b) = (padded(self), padded(other));
        let fits = |a: usize, b: usize| a == b || a == 1 || b == 1;
        if self.element != other.element || !a.iter().zip(&b).all(|(&a, &b)| fits(a, b)) {
            return Err(format!("{:?} {a:?} does not go with {:?} {b:?}", self.element, other.element));
        }
        let sizes: Vec<usize> = a.iter().zip(&b).map(|(&a, &b)| a.max(b)).collect();
        let repeated = |sizes: &[usize]| -> Vec<usize> {
            strides(sizes)
                .iter()
                .zip(sizes)
                .map(|(&stride, &size)| if size == 1 { 0 } else { stride })
                .collect()
        };
        let (a, b) = (places(&sizes, &repeated(&a)), places(&sizes, &repeated(&b)));
        let values = a.zip(b).map(|(a, b)| f(self.values[a], other.values[b])).collect();
        Ok(Self { element: self.element, sizes, values }.rounded())
    }

    /// Returns the mean over the axis 1, which remains with size 1.
    fn mean(&self, axes: &[i64]) -> Result<Self, Problem> {
        if axes != [1] || self.sizes.len() != 3 {
            return Err(format!("a mean over {axes:?} of {:?}", self.sizes));
        }
        let [blocks, rows, columns] = [self.sizes[0], self.sizes[1], self.sizes[2]];
        let sum = |block: usize, column: usize| -> f64 {
            (0..rows).map(|row| self.values[(block * rows + row) * columns + column]).sum()
        };
        let values = (0..blocks * columns).map(|i| sum(i / columns, i % columns) / rows as f64).collect();
        Ok(Self { element: self.element, sizes: vec![blocks, 1, columns], values }.rounded())
    }

    /// Applies `f` to each row of the last axis.
    fn rows(&self, f: impl Fn(&mut [f64])) -> Self {
        let mut result = self.clone();
        result.values.chunks_exact_mut(self.width()).for_each(f);
        result.rounded()
    }

    fn width(&self) -> usize {
        self.sizes.last().copied().unwrap_or(1)
    }

    fn softmax(&self) -> Self {
        self.rows(|row| {
            let highest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = row.iter().map(|value| (value - highest).exp()).sum();
            for value in row {
                *value = (*value - highest).exp() / sum;
            }
        })
    }

    fn layer_norm(&self, gain: &Self, shift: &Self, epsilon: f64) -> Self {
        self.rows(|row| {
            let count = row.len() as f64;
            let mean = row.iter().sum::<f64>() / count;
            let variance = row.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
            for ((value, gain), shift) in row.iter_mut().zip(&gain.values).zip(&shift.values) {
                *value = (*value - mean) / (variance + epsilon).sqrt() * gain + shift;
            }
        })
    }

    /// Returns the product over the last two axes. `other` is one matrix for all, or has the same axes in
    /// front.
    fn multiply(&self, other: &Self) -> Result<Self, Problem> {
        let (Some((&depth, front)), Some((&columns, other_front))) =
            (self.sizes.split_last(), other.sizes.split_last())
        else {
            return Err("a product of numbers".into());
        };
        let (Some((&rows, batch)), Some((&other_depth, other_batch))) =
            (front.split_last(), other_front.split_last())
        else {
            return Err("a product of rows".into());
        };
        if depth != other_depth || !(other_batch.is_empty() || other_batch == batch) {
            return Err(format!("{:?} times {:?}", self.sizes, other.sizes));
        }
        let mut values = Vec::with_capacity(self.values.len() / depth * columns);
        for (row, factors) in self.values.chunks_exact(depth).enumerate() {
            let matrix = if other_batch.is_empty() { 0 } else { row / rows * depth * columns };
            let mut sums = vec![0.0; columns];
            for (factor, other) in factors.iter().zip(other.values[matrix..].chunks_exact(columns)) {
                for (sum, other) in sums.iter_mut().zip(other) {
                    *sum += factor * other;
                }
            }
            values.append(&mut sums);
        }
        let sizes = [batch, &[rows, columns]].concat();
        Ok(Self { element: self.element, sizes, values }.rounded())
    }

    fn transpose(&self, order: &[i64]) -> Result<Self, Problem> {
        let mut sorted = order.to_vec();
        sorted.sort_unstable();
        if sorted != (0..self.sizes.len() as i64).collect::<Vec<_>>() {
            return Err(format!("the axes {order:?} of {:?}", self.sizes));
        }
        let from = strides(&self.sizes);
        let sizes: Vec<usize> = order.iter().map(|&axis| self.sizes[axis as usize]).collect();
        let strides: Vec<usize> = order.iter().map(|&axis| from[axis as usize]).collect();
        let values = places(&sizes, &strides).map(|place| self.values[place]).collect();
        Ok(Self { element: self.element, sizes, values })
    }

    /// Puts arrays side by side along an axis.
    fn concatenated(parts: &[&Self], axis: i64) -> Result<Self, Problem> {
        let axis = axis as usize;
        let first = parts.first().ok_or("no inputs")?;
        let of = |part: &Self| {
            (part.sizes.get(..axis).map(<[usize]>::to_vec), part.sizes.get(axis + 1..).map(<[usize]>::to_vec))
        };
        if first.sizes.len() <= axis || parts.iter().any(|part| of(part) != of(first)) {
            return Err("inputs of other shapes".into());
        }
        let blocks: usize = first.sizes[..axis].iter().product();
        let mut values = Vec::new();
        for block in 0..blocks {
            for part in parts {
                let size = part.values.len() / blocks;
                values.extend_from_slice(&part.values[block * size..][..size]);
            }
        }
        let mut sizes = first.sizes.clone();
        sizes[axis] = parts.iter().map(|part| part.sizes[axis]).sum();
        Ok(Self { element: first.element, sizes, values })
    }

    fn gather(&self, from: &Self, axis: i64) -> Result<Self, Problem> {
        let axis = axis as usize;
        let size = *self.sizes.get(axis).ok_or("no such axis")?;
        if from.values.iter().any(|&place| place < 0.0 || place >= size as f64) {
            return Err(format!("a place outside the {size} of an axis"));
        }
        let inner: usize = self.sizes[axis + 1..].iter().product();
        let mut values = Vec::new();
        for block in self.values.chunks_exact(size * inner) {
            for &place in &from.values {
                values.extend_from_slice(&block[place as usize * inner..][..inner]);
            }
        }
        let sizes = [&self.sizes[..axis], &from.sizes, &self.sizes[axis + 1..]].concat();
        Ok(Self { element: self.element, sizes, values })
    }

    fn reshape(&self, sizes: &[f64]) -> Result<Self, Problem> {
        let known: usize = sizes.iter().filter(|size| **size > 0.0).map(|size| *size as usize).product();
        let rest = self.values.len() / known.max(1);
        let sizes: Vec<usize> =
            sizes.iter().map(|&size| if size == -1.0 { rest } else { size as usize }).collect();
        if sizes.iter().product::<usize>() != self.values.len() {
            return Err(format!("{:?} as {sizes:?}", self.sizes));
        }
        Ok(Self { sizes, ..self.clone() })
    }
}

/// Returns how far apart neighbours along each axis are.
fn strides(sizes: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; sizes.len()];
    for axis in (1..sizes.len()).rev() {
        strides[axis - 1] = strides[axis] * sizes[axis];
    }
    strides
}

/// Returns the place of each number of an array with these sizes, row-major, in a buffer with other strides.
fn places(sizes: &[usize], strides: &[usize]) -> impl Iterator<Item = usize> + use<> {
    let own = self::strides(sizes);
    let axes: Vec<[usize; 3]> =
        own.into_iter().zip(sizes).zip(strides).map(|((own, &size), &to)| [own, size, to]).collect();
    let count: usize = sizes.iter().product();
    (0..count).map(move |place| axes.iter().map(|[own, size, to]| place / own % size * to).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(sizes: &[usize], values: &[f64]) -> Array {
        Array { element: Element::Single, sizes: sizes.to_vec(), values: values.to_vec() }
    }

    #[test]
    fn operators_match_values_by_hand() {
        let x = array(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(x.transpose(&[1, 0]), Ok(array(&[3, 2], &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0])));
        assert_eq!(x.multiply(&array(&[3, 1], &[1.0, 0.0, -1.0])), Ok(array(&[2, 1], &[-2.0, -2.0])));
        let moved = x.broadcast(&array(&[2, 1], &[10.0, 20.0]), |a, b| a + b);
        assert_eq!(moved, Ok(array(&[2, 3], &[11.0, 12.0, 13.0, 24.0, 25.0, 26.0])));
        let twice = x.gather(&array(&[2, 2], &[0.0, 2.0, 1.0, 1.0]), 1);
        assert_eq!(twice, Ok(array(&[2, 2, 2], &[1.0, 3.0, 2.0, 2.0, 4.0, 6.0, 5.0, 5.0])));
        let blocks = x.reshape(&[2.0, -1.0, 1.0]).unwrap();
        assert_eq!(blocks.mean(&[1]), Ok(array(&[2, 1, 1], &[2.0, 5.0])));
        let shares = array(&[1, 2], &[0.0, 3f64.ln()]).softmax();
        assert!((shares.values[0] - 0.25).abs() < 1e-7 && (shares.values[1] - 0.75).abs() < 1e-7);
        let normed = array(&[1, 2], &[1.0, 3.0]).layer_norm(&array(&[2], &[2.0, 1.0]), &x, 0.0);
        assert_eq!(normed.values, [-1.0, 3.0]);
    }

    #[test]
    fn batches_of_matrices_are_multiplied_in_pairs() {
        let a = array(&[2, 1, 2], &[1.0, 2.0, 3.0, 4.0]);
        let b = array(&[2, 2, 1], &[1.0, 1.0, 10.0, 100.0]);
        assert_eq!(a.multiply(&b), Ok(array(&[2, 1, 1], &[3.0, 430.0])));
    }

    #[test]
    fn what_does_not_fit_is_a_problem() {
        let x = array(&[2, 3], &[0.0; 6]);
        assert!(x.multiply(&x).is_err() && x.reshape(&[4.0, -1.0]).is_err());
        assert!(x.gather(&array(&[1], &[3.0]), 1).is_err() && x.transpose(&[0, 0]).is_err());
        let double = Array { element: Element::Double, ..x.clone() };
        assert!(x.broadcast(&double, |a, b| a + b).is_err(), "ONNX has no sum of two types");
    }
}
