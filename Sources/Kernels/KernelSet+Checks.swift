// Questions to many numbers at once.

extension KernelSet {
  /// Whether no element is NaN or an infinity.
  public func isFinite(_ x: UnsafeBufferPointer<Float>) -> Bool {
    guard let base = x.baseAddress else { return true }
    return table.checks.isFinite(x.count, base)
  }

  /// A hash of the elements' bits, the same in every kernel set. Against accidents, not against
  /// intent: any change that is confined to one element changes the hash - every operation on the
  /// way is a bijection of what it changes - and other changes go unseen once in 2^32 at most.
  /// - Parameter seed: the hash of what came before.
  public func hash(_ x: UnsafeBufferPointer<Float>, seed: UInt64 = 0) -> UInt64 {
    var hash = (seed ^ UInt64(x.count)) &* 0x9e37_79b9_7f4a_7c15
    guard let base = x.baseAddress, !x.isEmpty else { return hash }
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { state in
      for lane in state.indices { state.initializeElement(at: lane, to: UInt32(lane)) }
      table.checks.hash(x.count, base, state.baseAddress!)
      for word in state {
        hash = (hash ^ UInt64(word)) &* 0x9e37_79b9_7f4a_7c15
        hash ^= hash &>> 32
      }
    }
    return hash
  }
}
