import Datasets
import Kernels
import NN

/// A number that is not finite, and the first one on its rank's way through a step.
struct NumericFault: Codable, Equatable {
  /// How far along the way; compares between ranks.
  var order: Int
  /// What is not finite, such as `the outputs of layer 2 (relu)`.
  var place: String
  /// Within the rank's part of the batch, where the place has rows.
  var row: Int?
  /// The data set's sample in this row.
  var sample: UInt32?
}

/// Looks for numbers that are not finite while a rank computes a step once more. It is not there in
/// steps that go well.
struct FaultSearch {
  private let network: Network
  private let kernels: KernelSet
  private(set) var fault: NumericFault?

  init(_ network: Network, kernels: KernelSet) {
    self.network = network
    self.kernels = kernels
  }

  /// Parameters, and what layers remember.
  mutating func lookAtModel() {
    for slab in [network.parameters, network.state] {
      for tensor in slab.layout.tensors where !isFinite(slab.elements(of: tensor)) {
        note(0, tensor.name)
      }
    }
  }

  static let orderOfInputs = 1

  mutating func lookAtInputs(_ part: BatchPart) {
    switch part.inputs {
    case .dense(let inputs): lookAt(inputs, FaultSearch.orderOfInputs, "the inputs", part)
    case .sparse(let inputs):
      let stored = inputs.rowStarts[0]..<inputs.rowStarts[inputs.rows]
      let values = UnsafeBufferPointer(
        start: inputs.values + stored.lowerBound, count: stored.count)
      if !kernels.isFinite(values) { note(FaultSearch.orderOfInputs, "the inputs") }
    }
  }

  /// - Precondition: the stage has just ended.
  mutating func lookAtOutput(ofStage number: Int, _ part: BatchPart) {
    let stage = network.stages[number]
    lookAt(
      network.output(ofStage: number, inputs: part.inputs), 2 + number,
      "the outputs of layer \(stage.number) (\(stage.kind))", part)
  }

  /// - Parameter losses: one for each row.
  mutating func lookAtLosses(_ losses: UnsafeMutablePointer<Float>, _ part: BatchPart) {
    lookAt(
      Matrix(losses, rows: part.rows, columns: 1), 2 + network.stages.count, "the loss", part)
  }

  /// The rank's gradient, in the order in which backward fills it.
  /// - Parameter planes: of the slab, in which the gradient's parts are.
  mutating func lookAtGradients(planes: Int) {
    let tensors = network.layout.tensors
    let found = (0..<planes).compactMap {
      FaultSearch.lastTensor(in: network.gradients, plane: $0, kernels)
    }
    guard let last = found.max() else { return }
    note(3 + network.stages.count + tensors.count - last, "the gradient of \(tensors[last].name)")
  }

  /// The number of the tensor nearest to the network's outputs that is not finite: of those, the first
  /// one that backward fills.
  static func lastTensor(
    in gradients: Slab, plane: Int = 0, _ kernels: KernelSet
  ) -> Int? {
    let elements = gradients.plane(plane)
    return gradients.layout.tensors.lastIndex {
      !kernels.isFinite(UnsafeBufferPointer(rebasing: elements[$0.range]))
    }
  }

  private mutating func lookAt(_ rows: Matrix, _ order: Int, _ place: String, _ part: BatchPart) {
    guard !isFinite(rows.elements) else { return }
    let row = rows.elements.firstIndex { !$0.isFinite }! / rows.columns
    note(order, place, row: part.start + row)
  }

  private mutating func note(_ order: Int, _ place: String, row: Int? = nil) {
    if let fault, fault.order <= order { return }
    fault = NumericFault(order: order, place: place, row: row)
  }

  private func isFinite(_ elements: UnsafeMutableBufferPointer<Float>) -> Bool {
    kernels.isFinite(UnsafeBufferPointer(elements))
  }
}
