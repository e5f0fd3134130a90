import Kernels
import NN

/// Samples by value, with targets of both kinds.
struct SampleBatch {
  var rows: Int
  var features: Int
  var outputs: Int
  /// rows x features
  var x: [Float]
  var labels: [Int32]
  /// rows x outputs
  var values: [Float]

  /// Features and values uniform in -1..<1, other ones for every `number`.
  init(rows: Int, features: Int, outputs: Int, random number: Int) {
    self.rows = rows
    self.features = features
    self.outputs = outputs
    x = randomValues(rows * features, 3 * number)
    values = randomValues(rows * outputs, 3 * number + 1)
    labels = randomValues(rows, 3 * number + 2).map {
      Int32(($0 + 1) / 2 * Float(outputs)) % Int32(outputs)
    }
  }

  /// These rows by themselves.
  func part(_ range: Range<Int>) -> SampleBatch {
    var part = self
    part.rows = range.count
    part.x = Array(x[range.lowerBound * features..<range.upperBound * features])
    part.values = Array(values[range.lowerBound * outputs..<range.upperBound * outputs])
    part.labels = Array(labels[range])
    return part
  }
}

extension Network {
  convenience init(
    _ layers: [LayerSpecification], inputShape: Shape, maximumRows: Int, gradientTail: Int = 0
  ) throws {
    try self.init(
      NetworkPlan(layers, inputShape: inputShape), maximumRows: maximumRows,
      gradientTail: gradientTail)
  }

  /// Forward, loss and backward. The gradient of the loss's sum is in the slab afterwards.
  /// - Returns: the loss's sum, over the shard tree.
  @discardableResult
  func computeGradients(
    _ batch: SampleBatch, loss: Loss, shards: ShardRows, kernels: KernelSet,
    afterStage: (Int) -> Void = { _ in }
  ) throws -> Float {
    let pass = Pass(kernels: kernels, shards: shards, mode: .training)
    return try computeGradients(batch, loss: loss, pass: pass, afterStage: afterStage)
  }

  /// The same in a pass of the caller's.
  @discardableResult
  func computeGradients(
    _ batch: SampleBatch, loss: Loss, pass: Pass, afterStage: (Int) -> Void = { _ in }
  ) throws -> Float {
    let kernels = pass.kernels
    var losses = [Float](repeating: .nan, count: batch.rows)
    var (x, labels, values) = (batch.x, batch.labels, batch.values)
    return try x.withUnsafeMutableBufferPointer { x in
      let inputs = Matrix(x.baseAddress!, rows: batch.rows, columns: batch.features)
      let outputs = try forward(inputs, pass: pass)
      let gradient = outputGradient(rows: batch.rows)
      if loss.usesLabels {
        labels.withUnsafeMutableBufferPointer {
          loss.evaluate(
            outputs, .labels($0.baseAddress!), losses: &losses, gradient: gradient,
            kernels: kernels)
        }
      } else {
        values.withUnsafeMutableBufferPointer {
          loss.evaluate(
            outputs, .values($0.baseAddress!), losses: &losses, gradient: gradient,
            kernels: kernels)
        }
      }
      for stage in stages.indices.reversed() {
        try backward(throughStage: stage, inputs: inputs, pass: pass)
        afterStage(stage)
      }
      var sum: Float = 0
      kernels.sum(losses, over: pass.shards, into: &sum)
      return sum
    }
  }
}

/// Uniform in -1..<1, other values for every `number`.
func randomValues(_ count: Int, _ number: Int) -> [Float] {
  [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
    let stream = RandomStream(seed: 4, purpose: .syntheticData, instance: number)
    stream.fillUniform(UnsafeMutableBufferPointer(rebasing: buffer[..<count]), bound: 1)
    initialized = count
  }
}

/// Half the distance between 1 and the next Float: the largest relative error of one rounding.
let unitRoundoff = 0x1p-24
