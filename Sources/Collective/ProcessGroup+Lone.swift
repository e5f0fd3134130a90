// An allreduce on one node that is waited for with no other call under way: it needs none of what
// keeps several apart.

extension ProcessGroup {
  private static let hierarchicalNumber = AllreduceMethod.hierarchical.number

  /// Runs an allreduce on the spot, if it is such a one; false if it is to be started.
  // Generic code asks the type for each of its properties: a tenth of a call of 4 bytes.
  @_specialize(where Element == Float)
  func runLone<Element: Reducible>(
    _ source: UnsafeBufferPointer<Element>, into target: UnsafeMutableBufferPointer<Element>,
    _ reduction: Reduction<Element>,
    _ method: AllreduceMethod?, planes: Planes? = nil
  ) throws -> Bool {
    guard let lone, inFlight.isEmpty,
      case .hierarchical = method
        ?? choice(
          byteCount: target.count * MemoryLayout<Element>.stride, type: Element.elementType,
          planes: planes)
    else { return false }
    let call = CallSignature(
      planes == nil ? .allreduce : .sumOfPlanes, Element.self, reduction: reduction,
      algorithm: Self.hierarchicalNumber, count: target.count
    ).word
    started += 1
    var backoff = Backoff(spins: spins, core: core)
    var watch: StallWatch?
    // What is called between two looks keeps no reference: to count it would be an atomic instruction.
    let group = Unmanaged.passUnretained(self)
    try lone._withUnsafeGuaranteedRef {
      try $0.run(
        UnsafeRawBufferPointer(source), planeStride: planes?.stride,
        into: UnsafeMutableRawBufferPointer(target), reducer(reduction), call: call
      ) { number, mark in
        guard backoff.pause() else { return }
        try group._withUnsafeGuaranteedRef {
          try $0.look(at: &watch, number, mark: mark, call: call)
        }
      }
    }
    if watch != nil { options.waitObserver?.ended() }
    return true
  }

  /// From time to time in a long wait for the node's call `number`.
  @inline(never)
  private func look(
    at watch: inout StallWatch?, _ number: Int, mark: Int, call: UInt64
  ) throws {
    guard try phase(of: &watch, mark: mark) == .over else { return }
    throw RankMissing(
      absentees: node!.absentees(number), rank: rank, call: "\(CallSignature(word: call))",
      seconds: watch!.elapsed)
  }
}
