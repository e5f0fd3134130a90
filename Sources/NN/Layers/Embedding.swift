import Kernels

/// Every number of a sample is a word's, and becomes the word's row in a table that is learned:
/// shape s becomes s x dimension. Numbers are whole, from 0 to below `words`.
final class Embedding: Layer {
  static let definition = LayerDefinition(
    "embedding", example: "{embedding: {words: 10000, dimension: 64}}"
  ) {
    let words = $0.integer("words", in: 1...1 << 24)
    let dimension = $0.integer("dimension", in: 1...1 << 24)
    return { Embedding(inputShape: $0, words: words, dimension: dimension) }
  }

  let kind = "embedding"
  let inputShape: Shape
  let outputShape: Shape
  /// `table` is words x dimension, with variance 1 / dimension.
  let parameters: [Parameter]
  let backwardReads: BackwardReads = []

  private let words: Int
  private let dimension: Int

  init(inputShape: Shape, words: Int, dimension: Int) {
    self.inputShape = inputShape
    self.words = words
    self.dimension = dimension
    outputShape = Shape(inputShape.dimensions + [dimension])
    parameters = [
      Parameter("table", Shape(words, dimension), .lecunUniform(fanIn: dimension))
    ]
  }

  /// Each number as an index of 32 bits.
  func workspaceCount(rows: Int) -> Int { rows * inputShape.count }

  func scratch(rows: Int, shards: Int, threads: Int) -> ScratchNeed {
    .sparseTranspose(
      elements: rows * inputShape.count, columns: words, outputs: dimension, shards: shards)
  }

  /// - Throws: `UnknownWord`.
  func forward(_ x: Matrix, into y: Matrix, memory: LayerMemory, pass: Pass) throws {
    let indices = indices(memory, count: x.count)
    for (i, number) in x.elements.enumerated() {
      guard number >= 0, number < Float(words), number == number.rounded(.down) else {
        throw UnknownWord(number: number, words: words)
      }
      indices[i] = Int32(number)
    }
    pass.kernels.embed(
      UnsafeBufferPointer(indices), in: table(memory.weights[0]),
      into: y.perPosition(channels: dimension))
  }

  func backward(
    _ dy: Matrix, x: Matrix, y: Matrix, into dx: Matrix?, memory: LayerMemory, pass: Pass
  ) {
    let count = dy.rows * inputShape.count
    pass.kernels.embedGradient(
      UnsafeBufferPointer(indices(memory, count: count)), dy.perPosition(channels: dimension),
      over: pass.shards.scaled(by: inputShape.count), into: table(memory.gradients[0]))
    // A word's number is no quantity.
    dx?.elements.update(repeating: 0)
  }

  private func table(_ base: UnsafeMutablePointer<Float>) -> Matrix {
    Matrix(base, rows: words, columns: dimension)
  }

  private func indices(_ memory: LayerMemory, count: Int) -> UnsafeMutableBufferPointer<Int32> {
    let base = UnsafeMutableRawPointer(memory.workspace).assumingMemoryBound(to: Int32.self)
    return UnsafeMutableBufferPointer(start: base, count: count)
  }
}

/// A number that is no word's.
public struct UnknownWord: Error, Equatable, CustomStringConvertible {
  public var number: Float
  public var words: Int

  public var description: String {
    "a sample has the number \(number), and embedding takes whole numbers from 0 to \(words - 1): "
      + "raise its words, or mend the data; the numbers of a byte file become 0...1 unless "
      + "data.normalize is none"
  }
}
