import Kernels
import Testing

@testable import NN

/// A loss on some outputs and targets: what Oracles/losses.py wrote.
private struct LossCase: Decodable, Sendable {
  enum TargetKind: String, Decodable {
    case labels
    /// Anything; from 0 to 1; -1 or 1.
    case values, shares, signs
  }

  var loss: String
  var settings: RawSetting
  /// Samples and outputs.
  var shape: [Int]
  /// Whether outputs and targets are whole numbers.
  var whole: Bool
  var targets: TargetKind
  var losses: StoredTensor
  /// Of their sum, by the outputs.
  var gradient: StoredTensor

  func values(_ tensor: DrawnTensor) -> [Float] {
    tensor.values(shape[0] * shape[1]).map { whole ? ($0 * 4).rounded(.down) : $0 * 4 }
  }

  func withTargets(_ body: (Targets) -> Void) {
    let (tensor, count) = (DrawnTensor.targets, shape[0] * shape[1])
    switch targets {
    case .labels:
      let labels = tensor.wholeNumbers(shape[0], below: shape[1]).map(Int32.init)
      labels.withUnsafeBufferPointer { body(.labels($0.baseAddress!)) }
    case .values, .shares, .signs:
      let values =
        switch targets {
        case .shares: tensor.values(count).map { ($0 + 1) / 2 }
        case .signs: tensor.wholeNumbers(count, below: 2).map { 2 * $0 - 1 }
        default: values(tensor)
        }
      values.withUnsafeBufferPointer { body(.values($0.baseAddress!)) }
    }
  }
}

extension LossCase: CustomTestStringConvertible {
  var testDescription: String { "\(loss) \(settings)" + (whole ? ", whole numbers" : "") }
}

/// Losses against PyTorch's in float64.
struct LossOracleTests {
  private static let cases: [LossCase] = Oracle.cases("losses")

  @Test(
    "losses and their gradients are PyTorch's, but for float32's roundings", arguments: cases,
    InstructionSet.supported)
  private func loss(reference: LossCase, instructions: InstructionSet) throws {
    let loss = try Loss(reference.loss, reference.settings)
    let (rows, columns) = (reference.shape[0], reference.shape[1])
    var x = reference.values(.input)
    var dx = [Float](repeating: .nan, count: x.count)
    var losses = [Float](repeating: .nan, count: rows)
    x.withUnsafeMutableBufferPointer { x in
      dx.withUnsafeMutableBufferPointer { dx in
        reference.withTargets { targets in
          loss.evaluate(
            Matrix(x.baseAddress!, rows: rows, columns: columns), targets, losses: &losses,
            gradient: Matrix(dx.baseAddress!, rows: rows, columns: columns),
            kernels: KernelSet(instructions))
        }
      }
    }
    #expect(reference.losses.faults(of: losses) == [])
    #expect(reference.gradient.faults(of: dx) == [])
  }

  @Test("every loss is held against PyTorch's")
  func everyKind() {
    #expect(Set(LossOracleTests.cases.map(\.loss)) == Set(Loss.names))
  }
}
