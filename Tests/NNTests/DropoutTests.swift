import Kernels
import Testing

@testable import NN

/// What dropout's mask depends on, and when there is none.
struct DropoutTests {
  private static let columns = 37

  /// Two layers of dropout over ones; the identity in between is one that reads nothing.
  private func outputs(
    rate: Double, seed: UInt64 = 1, step: Int = 2, rows: Range<Int> = 0..<24,
    mode: Pass.Mode = .training, layersBefore: Int = 0
  ) throws -> [[Float]] {
    let flatten = try LayerSpecification("flatten")
    let network = try Network(
      Array(repeating: flatten, count: layersBefore)
        + [LayerSpecification("dropout", RawSetting(.number(rate)))],
      inputShape: Shape(DropoutTests.columns), maximumRows: 24)
    var x = [Float](repeating: 1, count: rows.count * DropoutTests.columns)
    return try x.withUnsafeMutableBufferPointer {
      let inputs = Matrix($0.baseAddress!, rows: rows.count, columns: DropoutTests.columns)
      let y = try network.forward(
        inputs,
        pass: Pass(
          kernels: KernelSet(InstructionSet.supported.last!),
          shards: ShardRows(undivided: rows.count), mode: mode, seed: seed, step: step,
          firstSample: rows.lowerBound, globalRows: 24, batchSum: NoOtherRanks()))
      return (0..<y.rows).map { Array(UnsafeBufferPointer(start: y.row($0), count: y.columns)) }
    }
  }

  /// Of 888 numbers, the dropped ones deviate from their expected number by sqrt(888 r (1 - r)):
  /// five of these is one seed in a million.
  @Test("numbers are dropped at the rate, and the others scaled", arguments: [0.1, 0.5, 0.9])
  func rate(rate: Double) throws {
    let values = try outputs(rate: rate).flatMap { $0 }
    let kept = 1 / (1 - Float(rate))
    #expect(values.allSatisfy { $0 == 0 || $0 == kept })
    let n = Double(values.count)
    let dropped = Double(values.count { $0 == 0 })
    #expect((dropped - n * rate).magnitude < 5 * (n * rate * (1 - rate)).squareRoot())
  }

  @Test("a sample's mask does not depend on which rank has it, nor on the rows beside it")
  func samples() throws {
    let whole = try outputs(rate: 0.5)
    for range in [0..<24, 0..<3, 3..<24, 23..<24, 5..<5] {
      #expect(try outputs(rate: 0.5, rows: range) == Array(whole[range]))
    }
    #expect(Set(whole).count == 24)
  }

  @Test("seed, step and layer have masks of their own")
  func coordinates() throws {
    let masks = [
      try outputs(rate: 0.5), try outputs(rate: 0.5, seed: 2), try outputs(rate: 0.5, step: 3),
      try outputs(rate: 0.5, layersBefore: 1),
    ]
    #expect(Set(masks).count == masks.count)
    #expect(try outputs(rate: 0.5) == masks[0])
  }

  @Test("nothing is dropped in evaluation, or at rate 0")
  func none() throws {
    #expect(try outputs(rate: 0.5, mode: .evaluation).joined().allSatisfy { $0 == 1 })
    #expect(try outputs(rate: 0).joined().allSatisfy { $0 == 1 })
  }
}
