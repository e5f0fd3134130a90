// The collectives themselves. Buffers are used in place, unless there are two. All ranks pass the
// same count, reduction and root. What a call throws - the transport's error, `CallMismatch`,
// `RankMissing` - leaves buffers undefined and the group of no further use.

extension ProcessGroup {
  /// Reduces every rank's `buffer` elementwise and leaves the result on all ranks, bit for bit
  /// equal.
  /// - Parameter method: nil to let the group choose.
  /// - Complexity: through shared memory, the traffic of copying the buffer once; between nodes and
  ///   through messages the algorithm's `rounds(size:)` and `elementsSent(rank:size:count:)`.
  public func allreduce<Element: Reducible>(
    _ buffer: UnsafeMutableBufferPointer<Element>, _ reduction: Reduction<Element> = .sum,
    _ method: AllreduceMethod? = nil
  ) throws {
    try allreduce(UnsafeBufferPointer(buffer), into: buffer, reduction, method)
  }

  /// The same, with the result in another buffer of the same length than the input. They do not
  /// overlap, or are the same.
  public func allreduce<Element: Reducible>(
    _ source: UnsafeBufferPointer<Element>, into target: UnsafeMutableBufferPointer<Element>,
    _ reduction: Reduction<Element> = .sum, _ method: AllreduceMethod? = nil
  ) throws {
    precondition(source.count == target.count)
    if try runLone(source, into: target, reduction, method) { return }
    try start(allreduce: source, into: target, reduction, method).wait()
  }

  /// Starts an allreduce. `buffer` belongs to the operation until it has been waited for.
  public func startAllreduce<Element: Reducible>(
    _ buffer: UnsafeMutableBufferPointer<Element>, _ reduction: Reduction<Element> = .sum,
    _ method: AllreduceMethod? = nil
  ) throws -> CollectiveOperation {
    try start(allreduce: UnsafeBufferPointer(buffer), into: buffer, reduction, method)
  }

  /// Adds the planes of all ranks elementwise along `options.tree`, and leaves the sum in plane 0 on
  /// all ranks: bit for bit the same on any number of ranks. Other planes stay as they are.
  ///
  /// Where the tree is the canonical one over ranks, each of which has one plane, and where the group
  /// has no tree, this is the allreduce of that plane.
  /// - Parameters:
  ///   - plane: the first; rank r has `tree.subtrees[r].count`.
  ///   - stride: elements from one plane to the next, alike on all ranks; all of them in one
  ///     allocation.
  ///   - method: nil to let the group choose; a schedule's algorithm is one that `addsPlanes`.
  public func sumPlanes<Element: Reducible>(
    _ plane: UnsafeMutableBufferPointer<Element>, stride: Int, _ method: AllreduceMethod? = nil
  ) throws where Element.Accumulator == Element {
    let source = UnsafeBufferPointer(plane)
    if try runLone(source, into: plane, .sum, method, planes: planes(of: Element.self, stride)) {
      return
    }
    try startSumOfPlanes(plane, stride: stride, method).wait()
  }

  /// Starts the same. All planes belong to the operation until it has been waited for.
  /// - Parameter looksAtResult: whether to find out if the sum is finite, for `wait()` to tell, which
  ///   else returns `.unknown`. Each rank looks at what it has added up while that is in its cache: all
  ///   of them have to be asked, it has to be Float, and to go through shared memory.
  public func startSumOfPlanes<Element: Reducible>(
    _ plane: UnsafeMutableBufferPointer<Element>, stride: Int, _ method: AllreduceMethod? = nil,
    looksAtResult: Bool = false
  ) throws -> CollectiveOperation where Element.Accumulator == Element {
    try start(
      allreduce: UnsafeBufferPointer(plane), into: plane, .sum, method,
      planes: planes(of: Element.self, stride), looksAtResult: looksAtResult)
  }

  private func planes<Element>(of type: Element.Type, _ stride: Int) -> Planes? {
    tree == nil ? nil : Planes(stride: stride * MemoryLayout<Element>.stride)
  }

  /// Reduces every rank's `buffer` elementwise and leaves rank r's chunk of the result on rank r;
  /// the rest of its buffer is undefined. See `chunk(of:)`.
  public func reduceScatter<Element: Reducible>(
    _ buffer: UnsafeMutableBufferPointer<Element>, _ reduction: Reduction<Element> = .sum,
    _ algorithm: ReduceScatterAlgorithm? = nil
  ) throws {
    try startReduceScatter(buffer, reduction, algorithm).wait()
  }

  /// Starts the same. `buffer` belongs to the operation until it has been waited for.
  public func startReduceScatter<Element: Reducible>(
    _ buffer: UnsafeMutableBufferPointer<Element>, _ reduction: Reduction<Element> = .sum,
    _ algorithm: ReduceScatterAlgorithm? = nil
  ) throws -> CollectiveOperation {
    let algorithm = algorithm ?? (options.isCanonical ? .direct : .circulant)
    return try start(
      .reduceScatter(algorithm), buffer, reduction: reduction,
      signature: CallSignature(
        .reduceScatter, Element.self, reduction: reduction, algorithm: algorithm.number,
        count: buffer.count))
  }

  /// Leaves every rank's chunk of `buffer` on all ranks. See `chunk(of:)`.
  public func allgather<Element: Reducible>(
    _ buffer: UnsafeMutableBufferPointer<Element>, _ algorithm: AllgatherAlgorithm = .circulant
  ) throws {
    try startAllgather(buffer, algorithm).wait()
  }

  /// Starts the same. `buffer` belongs to the operation until it has been waited for.
  public func startAllgather<Element: Reducible>(
    _ buffer: UnsafeMutableBufferPointer<Element>, _ algorithm: AllgatherAlgorithm = .circulant
  ) throws -> CollectiveOperation {
    try start(
      .allgather(algorithm), buffer, reduction: nil,
      signature: CallSignature(
        .allgather, Element.self, reduction: nil, algorithm: algorithm.number, count: buffer.count))
  }

  /// Leaves the buffer of `root` on all ranks.
  public func broadcast<Element: Reducible>(
    _ buffer: UnsafeMutableBufferPointer<Element>, root: Int = 0,
    _ algorithm: BroadcastAlgorithm? = nil
  ) throws {
    try startBroadcast(buffer, root: root, algorithm).wait()
  }

  /// Starts the same. `buffer` belongs to the operation until it has been waited for.
  public func startBroadcast<Element: Reducible>(
    _ buffer: UnsafeMutableBufferPointer<Element>, root: Int = 0,
    _ algorithm: BroadcastAlgorithm? = nil
  ) throws -> CollectiveOperation {
    precondition((0..<size).contains(root))
    let isShort = buffer.count * MemoryLayout<Element>.stride < 16 * 1024
    let algorithm = algorithm ?? (isShort ? .tree : .scatterAllgather)
    return try start(
      .broadcast(algorithm, root: root), buffer, reduction: nil,
      signature: CallSignature(
        .broadcast, Element.self, reduction: nil, algorithm: algorithm.number, root: root,
        count: buffer.count))
  }

  /// Reduces every rank's `buffer` elementwise and leaves the result on `root`; the buffers of the
  /// other ranks are undefined.
  public func reduce<Element: Reducible>(
    _ buffer: UnsafeMutableBufferPointer<Element>, _ reduction: Reduction<Element> = .sum,
    root: Int = 0, _ algorithm: ReduceAlgorithm = .tree
  ) throws {
    try startReduce(buffer, reduction, root: root, algorithm).wait()
  }

  /// Starts the same. `buffer` belongs to the operation until it has been waited for.
  public func startReduce<Element: Reducible>(
    _ buffer: UnsafeMutableBufferPointer<Element>, _ reduction: Reduction<Element> = .sum,
    root: Int = 0, _ algorithm: ReduceAlgorithm = .tree
  ) throws -> CollectiveOperation {
    precondition((0..<size).contains(root))
    return try start(
      .reduce(algorithm, root: root), buffer, reduction: reduction,
      signature: CallSignature(
        .reduce, Element.self, reduction: reduction, algorithm: algorithm.number, root: root,
        count: buffer.count))
  }

  /// The elements of a buffer of `count` that belong to this rank in `reduceScatter` and
  /// `allgather`.
  public func chunk(of count: Int) -> Range<Int> { Chunks(count: count, parts: size)[rank] }
}
