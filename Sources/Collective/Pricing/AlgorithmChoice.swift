/// Chooses the algorithm that a cost model says is cheapest. Ranks that have the same model choose
/// alike.
public struct AlgorithmChoice {
  public let model: CostModel
  private var known: [Question: AllreduceAlgorithm] = [:]

  private struct Question: Hashable {
    var bytes: Int
    var size: Int
    var isCanonical: Bool
    var width: ElementWidth
  }

  public init(_ model: CostModel) { self.model = model }

  /// The algorithm for a buffer of `bytes` on `size` ranks. The answer holds for all buffers from a
  /// power of two to the next, and is worked out once for each: for the power of two.
  /// - Parameter canonical: only algorithms that follow the canonical tree.
  /// - Complexity: the first time, O(the transfers of all algorithms).
  public mutating func algorithm(
    bytes: Int, size: Int, canonical: Bool, width: ElementWidth
  ) -> AllreduceAlgorithm {
    let sizeClass = bytes == 0 ? 0 : 1 << (Int.bitWidth - 1 - bytes.leadingZeroBitCount)
    let question = Question(bytes: sizeClass, size: size, isCanonical: canonical, width: width)
    if let answer = known[question] { return answer }
    let candidates = AllreduceAlgorithm.allCases.filter {
      !canonical || $0.isCanonical(size: size)
    }
    let count = max(1, sizeClass / width.bytes)
    let prices = candidates.map {
      Price(of: $0.generator(size: size, count: count), on: model, width: width).seconds
    }
    let answer = zip(candidates, prices).min { $0.1 < $1.1 }!.0
    known[question] = answer
    return answer
  }
}
