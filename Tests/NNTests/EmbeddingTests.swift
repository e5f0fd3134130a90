import Kernels
import Testing

@testable import NN

/// What an embedding makes of numbers that are no words. Its arithmetic is tested with that of all
/// layers.
struct EmbeddingTests {
  @Test("each number becomes its word's row", arguments: InstructionSet.supported)
  func rows(instructions: InstructionSet) throws {
    let network = try Network(
      [LayerSpecification("embedding", ["words": 5, "dimension": 2])], inputShape: Shape(3),
      maximumRows: 2)
    #expect(network.outputShape == Shape(3, 2))
    for i in 0..<10 { network.parameters.base[i] = Float(i) }
    var x: [Float] = [4, 0, 1, 1, 1, 3]
    let y = try x.withUnsafeMutableBufferPointer {
      Array(
        try network.forward(
          Matrix($0.baseAddress!, rows: 2, columns: 3),
          pass: Pass(
            kernels: KernelSet(instructions), shards: ShardRows(undivided: 2), mode: .training)
        ).elements)
    }
    #expect(y == [8, 9, 0, 1, 2, 3, 2, 3, 2, 3, 6, 7])
  }

  @Test(
    "a number that is no word's is told", arguments: [-1, 5, 1.5, .nan, .infinity, 4e9] as [Float])
  func unknown(number: Float) throws {
    let network = try Network(
      [LayerSpecification("embedding", ["words": 5, "dimension": 2])], inputShape: Shape(1),
      maximumRows: 1)
    var x = [number]
    x.withUnsafeMutableBufferPointer { x in
      let inputs = Matrix(x.baseAddress!, rows: 1, columns: 1)
      let error = #expect(throws: UnknownWord.self) {
        try network.forward(
          inputs,
          pass: Pass(
            kernels: KernelSet(.baseline), shards: ShardRows(undivided: 1), mode: .evaluation))
      }
      #expect(error?.description.contains("whole numbers from 0 to 4") == true)
    }
  }
}
