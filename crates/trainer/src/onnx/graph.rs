//! A model as a graph of ONNX operators.

use allometry_ladder::{Channels, Normalize, Pooling, Task};

use crate::calibration::Calibration;
use crate::checkpoint::Description;
use crate::model::{Architecture, Geometry, Tensor, WidthScaling};

use super::message::{
    AttributeProto, Element, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto,
    TensorProto, ValueInfoProto,
};
use super::{INPUT, LOGITS, OPSET, SCORES};

/// Version of the file format that came with the operators' version.
const IR_VERSION: i64 = 8;

/// Added to variances, as the trainer does.
const EPSILON: f32 = 1e-5;

/// Returns the file of a model. `tensors` are its tensors in the buffer `weights`.
pub(super) fn model(
    description: &Description,
    (architecture, geometry): (Architecture, Geometry),
    tensors: &[Tensor],
    weights: &[f32],
) -> ModelProto {
    let mut graph = Graph {
        description,
        architecture,
        geometry,
        tensors,
        weights,
        nodes: Vec::new(),
        initializers: Vec::new(),
    };
    let patches = graph.patches();
    let encoded = graph.encode(&patches);
    graph.classify(&encoded);
    graph.score();
    let outputs = [geometry.form.outputs];
    let about = match description.model.task {
        Task::Binary => "probability of a positive label",
        Task::Classes => "probability of each class",
        Task::Regression => "predicted number",
    };
    let window = [geometry.context, geometry.features];
    let about_input = format!(
        "values of a table, not scaled: the rows of a window, oldest first, with the features {}{}",
        description.data.features.join(", "),
        if geometry.form.embeddings.count() > 0 {
            "; a column of categories has the number of the category in data.preparation.categories of the \
             metadata, from 1, and 0 for any other"
        } else {
            ""
        }
    );
    ModelProto {
        ir_version: IR_VERSION,
        producer_name: "allometry".into(),
        producer_version: env!("CARGO_PKG_VERSION").into(),
        doc_string: format!("The model of an Allometry checkpoint, budget {}", description.budget),
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: OPSET }],
        metadata_props: vec![StringStringEntryProto {
            key: "allometry".into(),
            value: serde_json::to_string(description).expect("a description has text keys only"),
        }],
        graph: Some(GraphProto {
            name: "allometry".into(),
            node: graph.nodes,
            initializer: graph.initializers,
            input: vec![ValueInfoProto::windows(INPUT, &window, &about_input)],
            output: vec![
                ValueInfoProto::windows(LOGITS, &outputs, "outputs of the head"),
                ValueInfoProto::windows(SCORES, &outputs, about),
            ],
        }),
    }
}

/// A graph under construction. Names of values are those of the layers that give them.
struct Graph<'a> {
    description: &'a Description,
    architecture: Architecture,
    geometry: Geometry,
    tensors: &'a [Tensor],
    weights: &'a [f32],
    nodes: Vec<NodeProto>,
    initializers: Vec<TensorProto>,
}

impl Graph<'_> {
    /// Adds an operator and returns the name of its output.
    fn add(
        &mut self,
        operator: &str,
        inputs: &[&str],
        output: &str,
        attributes: Vec<AttributeProto>,
    ) -> String {
        self.nodes.push(NodeProto {
            input: inputs.iter().map(|&input| input.into()).collect(),
            output: vec![output.into()],
            name: output.into(),
            op_type: operator.into(),
            attribute: attributes,
        });
        output.into()
    }

    fn constant(&mut self, name: &str, element: Element, sizes: &[usize], raw_data: Vec<u8>) -> String {
        let dims = sizes.iter().map(|&size| size as i64).collect();
        self.initializers.push(TensorProto { dims, data_type: element as i32, name: name.into(), raw_data });
        name.into()
    }

    fn whole(&mut self, name: &str, sizes: &[usize], values: &[i64]) -> String {
        self.constant(name, Element::Whole, sizes, values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    fn double(&mut self, name: &str, sizes: &[usize], values: &[f64]) -> String {
        self.constant(name, Element::Double, sizes, values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    fn single(&mut self, name: &str, value: f32) -> String {
        self.constant(name, Element::Single, &[], value.to_le_bytes().to_vec())
    }

    /// Adds a tensor of the model. A matrix gets one row per input, so that it is the right factor.
    fn weight(&mut self, name: &str) -> String {
        let tensor = self.tensors.iter().find(|tensor| tensor.name == name);
        let tensor = tensor.expect("the layers of the graph are those of the layout");
        let values = tensor.span.of(self.weights);
        let number = |place: usize| values[tensor.place(place)].to_le_bytes();
        let (sizes, bytes) = match tensor.shape[..] {
            [outputs, inputs] if name.ends_with(".weight") => {
                let places = (0..inputs).flat_map(|i| (0..outputs).map(move |o| o * inputs + i));
                (vec![inputs, outputs], places.flat_map(number).collect())
            }
            _ => (tensor.shape.clone(), (0..values.len()).flat_map(number).collect()),
        };
        self.constant(name, Element::Single, &sizes, bytes)
    }

    fn linear(&mut self, x: &str, layer: &str) -> String {
        let (weight, bias) = (self.weight(&format!("{layer}.weight")), self.weight(&format!("{layer}.bias")));
        let product = self.add("MatMul", &[x, &weight], &format!("{layer}/product"), Vec::new());
        self.add("Add", &[&product, &bias], &format!("{layer}/output"), Vec::new())
    }

    fn norm(&mut self, x: &str, layer: &str) -> String {
        let (gain, shift) = (self.weight(&format!("{layer}.weight")), self.weight(&format!("{layer}.bias")));
        let attributes = vec![AttributeProto::int("axis", -1), AttributeProto::float("epsilon", EPSILON)];
        self.add("LayerNormalization", &[x, &gain, &shift], &format!("{layer}/output"), attributes)
    }

    fn reshape(&mut self, x: &str, output: &str, sizes: &[i64]) -> String {
        let shape = self.whole(&format!("{output}/shape"), &[sizes.len()], sizes);
        self.add("Reshape", &[x, &shape], output, Vec::new())
    }

    fn transpose(&mut self, x: &str, output: &str, order: &[i64]) -> String {
        self.add("Transpose", &[x], output, vec![AttributeProto::ints("perm", order)])
    }

    fn cast(&mut self, x: &str, output: &str, to: Element) -> String {
        self.add("Cast", &[x], output, vec![AttributeProto::int("to", to as i64)])
    }

    /// Adds the mean over the axis 1, which remains with size 1.
    fn mean(&mut self, x: &str, output: &str) -> String {
        let attributes = vec![AttributeProto::ints("axes", &[1]), AttributeProto::int("keepdims", 1)];
        self.add("ReduceMean", &[x], output, attributes)
    }

    /// Adds everything before the embedding. The result has one row of patches per series of a window.
    fn patches(&mut self) -> String {
        let Geometry { patch, stride, form, .. } = self.geometry;
        let (mut x, vectors) = self.numbers_and_vectors();
        if !x.is_empty() && self.description.model.normalize == Normalize::Revin {
            x = self.revin(&x);
        }
        if form.affine {
            let (gain, shift) = (self.weight("revin.weight"), self.weight("revin.bias"));
            x = self.add("Mul", &[&x, &gain], "revin/product", Vec::new());
            x = self.add("Add", &[&x, &shift], "revin/output", Vec::new());
        }
        if !vectors.is_empty() {
            let parts: Vec<&str> =
                [x.as_str()].into_iter().chain(vectors.iter().map(String::as_str)).collect();
            let parts = &parts[usize::from(x.is_empty())..];
            x = self.add("Concat", parts, "categories/output", vec![AttributeProto::int("axis", 2)]);
        }
        if form.feature_embedding > 0 {
            x = self.linear(&x, "feature_embedding");
        }
        let (patches, values) = (self.geometry.patches(), self.geometry.patch_values());
        let starts = (0..patches).map(|place| place * stride);
        let rows: Vec<i64> = starts.flat_map(|start| (start..start + patch).map(|row| row as i64)).collect();
        let rows = self.whole("patches/rows", &[patches, patch], &rows);
        let axis = if form.channels == Channels::Independent {
            x = self.transpose(&x, "patches/series", &[0, 2, 1]);
            2
        } else {
            1
        };
        let cut = self.add("Gather", &[&x, &rows], "patches/cut", vec![AttributeProto::int("axis", axis)]);
        self.reshape(&cut, "patches/output", &[-1, patches as i64, values as i64])
    }

    /// Adds the scaled numbers of a window, and the vectors of each column of categories that has them. The
    /// first name is empty if no column has numbers.
    fn numbers_and_vectors(&mut self) -> (String, Vec<String>) {
        let (numbers, columns) = (self.geometry.numbers(), self.geometry.form.embeddings);
        if columns.count() == 0 {
            return (self.scaled(INPUT, numbers), Vec::new());
        }
        let mut vectors = Vec::new();
        for (number, column) in columns.columns().iter().enumerate() {
            let of = |name: &str| format!("category_embeddings.{number}/{name}");
            let place = self.whole(&of("place"), &[], &[(numbers + number) as i64]);
            let axis = vec![AttributeProto::int("axis", 2)];
            let codes = self.add("Gather", &[INPUT, &place], &of("codes"), axis);
            let codes = self.cast(&codes, &of("categories"), Element::Whole);
            // A category that the training part lacks has the number 0 and a vector of zeros.
            let table = self.table(number, column.size);
            let axis = vec![AttributeProto::int("axis", 0)];
            vectors.push(self.add("Gather", &[&table, &codes], &of("output"), axis));
        }
        if numbers == 0 {
            return (String::new(), vectors);
        }
        let places: Vec<i64> = (0..numbers as i64).collect();
        let places = self.whole("numbers/places", &[numbers], &places);
        let axis = vec![AttributeProto::int("axis", 2)];
        let x = self.add("Gather", &[INPUT, &places], "numbers/output", axis);
        (self.scaled(&x, numbers), vectors)
    }

    /// Adds the vectors of a column of categories, after one of zeros.
    fn table(&mut self, number: usize, size: usize) -> String {
        let name = format!("category_embeddings.{number}.weight");
        let tensor = self.tensors.iter().find(|tensor| tensor.name == name);
        let values = tensor.expect("the layers of the graph are those of the layout").span.of(self.weights);
        let zeros = std::iter::repeat_n(0.0, size);
        let bytes = zeros.chain(values.iter().copied()).flat_map(f32::to_le_bytes).collect();
        self.constant(&name, Element::Single, &[values.len() / size + 1, size], bytes)
    }

    /// Adds the scaling by the training part, in double precision like that of a table.
    fn scaled(&mut self, numbers: &str, columns: usize) -> String {
        let data = &self.description.data;
        let Some(scaling) = data.preparation.scaling_of_all(columns) else { return numbers.into() };
        let (means, deviations): (Vec<f64>, Vec<f64>) = scaling.into_iter().unzip();
        let features = [means.len()];
        let means = self.double("scale/means", &features, &means);
        let deviations = self.double("scale/deviations", &features, &deviations);
        let lowest = self.double("scale/lowest", &[], &[f64::from(f32::MIN)]);
        let highest = self.double("scale/highest", &[], &[f64::from(f32::MAX)]);
        let x = self.cast(numbers, "scale/double", Element::Double);
        let x = self.add("Sub", &[&x, &means], "scale/centred", Vec::new());
        let x = self.add("Div", &[&x, &deviations], "scale/divided", Vec::new());
        let x = self.add("Clip", &[&x, &lowest, &highest], "scale/clipped", Vec::new());
        self.cast(&x, "scale/output", Element::Single)
    }

    /// Adds the normalisation of each window by its own mean and standard deviation.
    fn revin(&mut self, x: &str) -> String {
        let epsilon = self.single("window/epsilon", EPSILON);
        let place = self.whole("window/first/place", &[1], &[0]);
        let first = self.add("Gather", &[x, &place], "window/first", vec![AttributeProto::int("axis", 1)]);
        let x = self.add("Sub", &[x, &first], "window/from_first", Vec::new());
        let mean = self.mean(&x, "window/mean");
        let centred = self.add("Sub", &[&x, &mean], "window/centred", Vec::new());
        let squares = self.add("Mul", &[&centred, &centred], "window/squares", Vec::new());
        let variance = self.mean(&squares, "window/variance");
        let variance = self.add("Add", &[&variance, &epsilon], "window/variance_above_0", Vec::new());
        let deviation = self.add("Sqrt", &[&variance], "window/deviation", Vec::new());
        self.add("Div", &[&centred, &deviation], "window/output", Vec::new())
    }

    /// Adds the embedding, the blocks and the last normalisation.
    fn encode(&mut self, patches: &str) -> String {
        let positions = self.weight("positions");
        let embedded = self.linear(patches, "embedding");
        let mut x = self.add("Add", &[&embedded, &positions], "positions/output", Vec::new());
        for number in 0..self.architecture.n_layers {
            let block = format!("blocks.{number}");
            let normed = self.norm(&x, &format!("{block}.attention_norm"));
            let mixed = self.attention(&normed, &block);
            let branch = self.linear(&mixed, &format!("{block}.projection"));
            x = self.add("Add", &[&x, &branch], &format!("{block}/attended"), Vec::new());
            let normed = self.norm(&x, &format!("{block}.feed_forward_norm"));
            let wide = self.linear(&normed, &format!("{block}.widen"));
            let active = self.gelu(&wide, &format!("{block}/gelu"));
            let branch = self.linear(&active, &format!("{block}.narrow"));
            x = self.add("Add", &[&x, &branch], &format!("{block}/output"), Vec::new());
        }
        self.norm(&x, "final_norm")
    }

    /// Adds the attention of a block up to its projection.
    fn attention(&mut self, x: &str, block: &str) -> String {
        let (patches, width) = (self.geometry.patches() as i64, self.architecture.d_model as i64);
        let heads = self.architecture.n_heads as i64;
        let of = |name: &str| format!("{block}/attention/{name}");
        let qkv = self.linear(x, &format!("{block}.qkv"));
        let qkv = self.reshape(&qkv, &of("heads"), &[-1, patches, 3, heads, width / heads]);
        let qkv = self.transpose(&qkv, &of("parts"), &[2, 0, 3, 1, 4]);
        let [query, key, value] = [("query", 0), ("key", 1), ("value", 2)].map(|(name, place)| {
            let place = self.whole(&of(&format!("{name}/place")), &[], &[place]);
            self.add("Gather", &[&qkv, &place], &of(name), vec![AttributeProto::int("axis", 0)])
        });
        let key = self.transpose(&key, &of("key_columns"), &[0, 1, 3, 2]);
        let products = self.add("MatMul", &[&query, &key], &of("products"), Vec::new());
        let scale = WidthScaling::new(&self.description.model, self.architecture).scores;
        let scale = self.single(&of("scale"), scale as f32);
        let scores = self.add("Mul", &[&products, &scale], &of("scores"), Vec::new());
        let shares = self.add("Softmax", &[&scores], &of("shares"), vec![AttributeProto::int("axis", -1)]);
        let mixed = self.add("MatMul", &[&shares, &value], &of("mixed"), Vec::new());
        let mixed = self.transpose(&mixed, &of("rows"), &[0, 2, 1, 3]);
        self.reshape(&mixed, &of("output"), &[-1, patches, width])
    }

    /// Adds `x (1 + erf(x / sqrt 2)) / 2`, the exact GELU.
    fn gelu(&mut self, x: &str, name: &str) -> String {
        let of = |part: &str| format!("{name}/{part}");
        let root = self.single(&of("root"), std::f32::consts::FRAC_1_SQRT_2);
        let [one, half] = [("one", 1.0), ("half", 0.5)].map(|(part, value)| self.single(&of(part), value));
        let scaled = self.add("Mul", &[x, &root], &of("scaled"), Vec::new());
        let erf = self.add("Erf", &[&scaled], &of("erf"), Vec::new());
        let sum = self.add("Add", &[&erf, &one], &of("sum"), Vec::new());
        let halved = self.add("Mul", &[x, &half], &of("halved"), Vec::new());
        self.add("Mul", &[&halved, &sum], &of("output"), Vec::new())
    }

    /// Adds the head, whose result is [`LOGITS`].
    fn classify(&mut self, x: &str) {
        let inputs = self.geometry.head_inputs(self.architecture.d_model) as i64;
        let pooled = match self.geometry.form.head {
            Pooling::Flatten => x.to_owned(),
            Pooling::Mean => self.mean(x, "pool/output"),
        };
        let flat = self.reshape(&pooled, "head/input", &[-1, inputs]);
        let (weight, bias) = (self.weight("head.weight"), self.weight("head.bias"));
        let product = self.add("MatMul", &[&flat, &weight], "head/product", Vec::new());
        self.add("Add", &[&product, &bias], LOGITS, Vec::new());
    }

    /// Adds the calibration of [`LOGITS`], in double precision like that of the predictions.
    fn calibrated(&mut self) -> String {
        let (slope, intercept) = match self.description.calibration {
            None | Some(Calibration::Isotonic { .. }) => return LOGITS.into(),
            Some(Calibration::Temperature { temperature }) => (1.0 / temperature, 0.0),
            Some(Calibration::Platt { slope, intercept }) => (slope, intercept),
        };
        let slope = self.double("calibration/slope", &[], &[slope]);
        let intercept = self.double("calibration/intercept", &[], &[intercept]);
        let x = self.cast(LOGITS, "calibration/double", Element::Double);
        let x = self.add("Mul", &[&x, &slope], "calibration/scaled", Vec::new());
        let x = self.add("Add", &[&x, &intercept], "calibration/moved", Vec::new());
        self.cast(&x, "calibration/output", Element::Single)
    }

    /// Adds what makes probabilities or numbers of [`LOGITS`]; the result is [`SCORES`].
    fn score(&mut self) {
        let logits = self.calibrated();
        match self.description.model.task {
            Task::Binary => {
                self.add("Sigmoid", &[&logits], SCORES, Vec::new());
            }
            Task::Classes => {
                self.add("Softmax", &[&logits], SCORES, vec![AttributeProto::int("axis", -1)]);
            }
            Task::Regression => {
                let (mean, deviation) = self.description.data.preparation.target.unwrap_or((0.0, 1.0));
                let mean = self.double("target/mean", &[], &[mean]);
                let deviation = self.double("target/deviation", &[], &[deviation]);
                let x = self.cast(LOGITS, "target/double", Element::Double);
                let x = self.add("Mul", &[&x, &deviation], "target/scaled", Vec::new());
                let x = self.add("Add", &[&x, &mean], "target/moved", Vec::new());
                self.cast(&x, SCORES, Element::Single);
            }
        }
    }
}
