import Kernels
import Testing

@testable import NN

/// Networks over sparse samples, held against themselves over the same samples stored in full.
struct SparseInputTests {
  /// Samples of which about a third of the numbers are not zero.
  private struct Samples {
    var batch: SampleBatch
    var rowStarts = [0]
    var columns: [Int32] = []
    var values: [Float] = []

    init(rows: Int, features: Int, outputs: Int) {
      batch = SampleBatch(rows: rows, features: features, outputs: outputs, random: 5)
      for i in 0..<rows {
        for j in 0..<features {
          if batch.x[i * features + j] < 0.3 {
            batch.x[i * features + j] = 0
          } else {
            columns.append(Int32(j))
            values.append(batch.x[i * features + j])
          }
        }
        rowStarts.append(values.count)
      }
    }

    /// Outputs and gradients of a network over the samples, stored sparse or in full.
    func run(
      _ layers: [LayerSpecification], isSparse: Bool, kernels: KernelSet
    ) throws -> (outputs: [Float], gradients: [Float]) {
      let network = try Network(
        layers, inputShape: Shape(batch.features), maximumRows: batch.rows)
      try network.plan.requireSparseInput()
      network.initialize(seed: 3)
      // Biases too: they start at 0.
      for i in network.parameters.tensors.indices {
        network.parameters.tensors[i] += Float(i % 7) / 64
      }
      let shards = ShardRows(first: 0, ends: (1...4).map { $0 * batch.rows / 4 })
      let pass = Pass(kernels: kernels, shards: shards, mode: .training)
      return try read(isSparse: isSparse) { inputs in
        let outputs = try network.forward(inputs, pass: pass)
        let result = Array(outputs.elements)
        let gradient = network.outputGradient(rows: batch.rows)
        for i in 0..<gradient.count { gradient.base[i] = batch.values[i] }
        for stage in network.stages.indices.reversed() {
          try network.backward(throughStage: stage, inputs: inputs, pass: pass)
        }
        return (result, Array(network.gradients.tensors))
      }
    }

    private func read<Result>(isSparse: Bool, _ body: (AnyMatrix) throws -> Result) rethrows
      -> Result
    {
      if isSparse {
        return try rowStarts.withUnsafeBufferPointer { starts in
          try columns.withUnsafeBufferPointer { columns in
            try values.withUnsafeBufferPointer { values in
              try body(
                .sparse(
                  SparseMatrix(
                    rows: batch.rows, columns: batch.features, rowStarts: starts.baseAddress!,
                    columnIndices: columns.baseAddress!, values: values.baseAddress!)))
            }
          }
        }
      }
      var full = batch.x
      return try full.withUnsafeMutableBufferPointer {
        try body(.dense(Matrix($0.baseAddress!, rows: batch.rows, columns: batch.features)))
      }
    }
  }

  private static func dense(_ units: Int, bias: Bool = true) -> LayerSpecification {
    try! LayerSpecification(
      "dense", ["units": RawSetting(.integer(units)), "bias": RawSetting(.flag(bias))])
  }

  static let models: [[LayerSpecification]] = [
    [dense(3, bias: false)], [dense(17, bias: false), .relu, dense(3)],
    [.residual([dense(9, bias: false), .relu], shortcut: [dense(9, bias: false)]), dense(3)],
  ]

  /// Terms that are zero change no chain of multiply-adds; only a bias comes at its other end.
  @Test(
    "without a bias in front, outputs and gradients are those of full samples, bit for bit",
    arguments: InstructionSet.supported, models)
  func sameBits(set: InstructionSet, model: [LayerSpecification]) throws {
    let samples = Samples(rows: 13, features: 37, outputs: 3)
    let kernels = KernelSet(set)
    let sparse = try samples.run(model, isSparse: true, kernels: kernels)
    let full = try samples.run(model, isSparse: false, kernels: kernels)
    #expect(sparse.outputs == full.outputs)
    #expect(sparse.gradients == full.gradients)
  }

  /// Sums of up to 39 terms of magnitude 1 at most: 2 x 39 roundings in both.
  @Test("with a bias they agree to rounding", arguments: InstructionSet.supported)
  func bias(set: InstructionSet) throws {
    let samples = Samples(rows: 13, features: 37, outputs: 3)
    let kernels = KernelSet(set)
    let model = [SparseInputTests.dense(3)]
    let sparse = try samples.run(model, isSparse: true, kernels: kernels)
    let full = try samples.run(model, isSparse: false, kernels: kernels)
    for (a, b) in zip(sparse.outputs, full.outputs) {
      #expect((a - b).magnitude <= 4 * 39 * 39 * Float(unitRoundoff))
    }
    // The gradient by the outputs is given: nothing rounds otherwise.
    #expect(sparse.gradients == full.gradients)
  }

  @Test(
    "a model whose first layer cannot read sparse samples is refused by that layer's name",
    arguments: [
      ([.relu, .dense(units: 3)], "0 (relu)"),
      ([LayerSpecification.residual([.dense(units: 37)]), .dense(units: 3)], "0 (residual)"),
      (
        [.residual([.dense(units: 4)], shortcut: [.relu, .dense(units: 4)])], "0.shortcut.0 (relu)"
      ),
    ] as [([LayerSpecification], String)])
  func refused(model: [LayerSpecification], layer: String) throws {
    let plan = try NetworkPlan(model, inputShape: Shape(37))
    let error = #expect(throws: SparseInputError.self) { try plan.requireSparseInput() }
    #expect(error?.layer == layer)
  }
}
