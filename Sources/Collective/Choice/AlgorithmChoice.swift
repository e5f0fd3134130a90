/// Chooses the algorithm that a cost model says is cheapest. Ranks that have the same model choose
/// alike.
public struct AlgorithmChoice {
  public let model: CostModel
  private var known: [Question: Decision] = [:]

  /// An algorithm, and what it was chosen for.
  public struct Decision: Equatable, Sendable {
    public var algorithm: AllreduceAlgorithm
    /// Predicted for the smallest buffer of the size class.
    public var seconds: Double
  }

  private struct Question: Hashable {
    var bytes: Int
    var size: Int
    var isCanonical: Bool
    var width: ElementWidth
    var copies: Int
    var tree: SumTree?
  }

  public init(_ model: CostModel) { self.model = model }

  /// The algorithm for a buffer of `bytes` on `size` ranks. The answer holds for all buffers from a
  /// power of two to the next, and is worked out once for each: for the power of two.
  /// - Parameters:
  ///   - canonical: only algorithms that follow the canonical tree.
  ///   - copies: as many equal allreduces run at once, on other ranks of the same nodes.
  ///   - tree: of buffers with planes: only algorithms that add these.
  /// - Complexity: the first time, O(the transfers of all algorithms).
  public mutating func decide(
    bytes: Int, size: Int, canonical: Bool, width: ElementWidth, copies: Int = 1,
    along tree: SumTree? = nil
  ) -> Decision {
    let sizeClass = SizeClass(bytes: bytes)
    let question = Question(
      bytes: sizeClass.smallest, size: size, isCanonical: canonical, width: width, copies: copies,
      tree: tree)
    if let answer = known[question] { return answer }
    let count = max(1, sizeClass.smallest / width.bytes)
    let decisions = AllreduceAlgorithm.allCases
      .filter { tree != nil ? $0.addsPlanes : !canonical || $0.isCanonical(size: size) }
      .map { algorithm in
        let price = Price(
          of: algorithm.generator(size: size, count: count, along: tree), on: model, width: width,
          copies: copies)
        return Decision(algorithm: algorithm, seconds: price.seconds)
      }
    let answer = decisions.min { $0.seconds < $1.seconds }!
    known[question] = answer
    return answer
  }
}
