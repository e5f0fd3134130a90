// Random words in whole vectors.

extension KernelSet {
  /// Fills `words` with the blocks of `stream` from `first` on: what its `block` gives one by one.
  public func words(
    of stream: RandomStream, from first: UInt64, into words: UnsafeMutableBufferPointer<UInt32>
  ) {
    precondition(words.count % 4 == 0)
    guard let base = words.baseAddress else { return }
    table.random.words(words.count / 4, first, stream.upperCounter, stream.wholeKey, base)
  }
}
