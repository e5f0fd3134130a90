import Kernels

/// A reduction of one element type, ready to run: arithmetic on memory, a block at a time, so that
/// what one operation leaves the next one finds in the first-level cache.
///
/// Many operands are combined along the canonical tree: with 2^k the largest power of two below
/// their number, the first 2^k by themselves, the others by themselves, and then the two results.
/// Where operands are sums of subtrees, the tree is that over their leaves.
struct Reducer {
  let type: ElementType
  private let body: Body
  /// Results are divided by it: the number of ranks for an average, else 1.
  private let divisor: Int
  private let means: Means

  /// What reducers compute with. Whoever makes reducers keeps both alive; they count no references,
  /// for which x86-64 would wait each time until what the last sums have written is in a cache.
  struct Means {
    fileprivate let kernels: Unmanaged<KernelSet>
    fileprivate let scratch: Unmanaged<ReductionScratch>

    init(_ kernels: KernelSet, _ scratch: ReductionScratch) {
      self.kernels = .passUnretained(kernels)
      self.scratch = .passUnretained(scratch)
    }
  }

  private enum Body {
    case kernel(ReductionKind)
    case custom((Int, UnsafeRawPointer, UnsafeRawPointer, UnsafeMutableRawPointer) -> Void)
  }

  /// - Parameter means: must live as long as this reducer and copies of it.
  @inline(__always)
  init<Element: Reducible>(_ reduction: Reduction<Element>, ranks: Int, _ means: Means) {
    type = Element.elementType
    body =
      switch reduction.body {
      case .kernel(let kind): .kernel(kind)
      case .custom(let combine): .custom(combine)
      }
    divisor = reduction.isAverage ? ranks : 1
    self.means = means
  }

  /// Bytes of an element, and of a partial result.
  var elementSize: Int { type.byteCount }
  var accumulatorSize: Int { type.accumulator.byteCount }
  /// Whether partial results are of another type than elements.
  var isWidened: Bool { type.accumulator != type }

  /// The operands of a reduction, in the order of ranks.
  struct Operands {
    var pointers: UnsafeMutableBufferPointer<UnsafeRawPointer>
    /// Of each operand, its first leaf in a `SumTree`; nil where operands are leaves themselves.
    var starts: UnsafePointer<Int>?
    /// Which of them point to partial results rather than elements; it matters for widened types
    /// only.
    var arePartial: Selection = .none
    /// Which of them are asked for before they are needed: not those that have just arrived, which
    /// the caches hold.
    var areFetched: Selection = .all

    enum Selection: Equatable {
      case none
      case one(Int)
      case all

      func contains(_ index: Int) -> Bool {
        switch self {
        case .none: false
        case .one(let one): one == index
        case .all: true
        }
      }
    }

    /// Some of them, of types that are not widened.
    subscript(range: Range<Int>) -> Operands {
      Operands(
        pointers: .init(rebasing: pointers[range]), starts: starts.map { $0 + range.lowerBound })
    }
  }

  /// Partial results of `count` elements, into `target`, which may be one of the operands.
  func reduce(_ operands: Operands, count: Int, into target: UnsafeMutableRawPointer) {
    forEachBlock(count) { block in
      let target = target + block.start * accumulatorSize
      let result = combined(operands, block, into: Place(target))
      if result != UnsafeRawPointer(target) {
        target.copyMemory(from: result, byteCount: block.count * accumulatorSize)
      }
    }
  }

  /// Finished elements, written to every one of `targets`, which may be operands.
  /// - Parameter pastCaches: for targets that will be read after more than caches hold; they are no
  ///   operands.
  func reduceAndFinish(
    _ operands: Operands, count: Int, into targets: UnsafeBufferPointer<UnsafeMutableRawPointer>,
    pastCaches: Bool = false
  ) {
    if pastCaches { return reduceAndStream(operands, count: count, into: targets) }
    let areCombinedLast = areCombinedLast(operands)
    forEachBlock(count) { block in
      let first = targets[0] + block.start * elementSize
      let place = isWidened ? scratch(atLevel: 0) : first
      let second =
        areCombinedLast && targets.count > 1 ? targets[1] + block.start * elementSize : nil
      let result = combined(operands, block, into: Place(place, second))
      finishBlock(result, count: block.count, scratch: place, into: first)
      for target in targets.dropFirst(second == nil ? 1 : 2) {
        (target + block.start * elementSize)
          .copyMemory(from: first, byteCount: block.count * elementSize)
      }
    }
  }

  private func reduceAndStream(
    _ operands: Operands, count: Int, into targets: UnsafeBufferPointer<UnsafeMutableRawPointer>
  ) {
    let place = scratch(atLevel: 0)
    let finished = isWidened ? scratch(atLevel: ReductionScratch.last) : place
    let areStreamedLast =
      areCombinedLast(operands) && targets.count <= 2
      && targets.allSatisfy { Int(bitPattern: $0) % 16 == 0 }
    forEachBlock(count) { block in
      if areStreamedLast {
        let offset = block.start * elementSize
        let second = targets.count > 1 ? targets[1] + offset : nil
        _ = combined(operands, block, into: Place(targets[0] + offset, second, streams: true))
        return
      }
      let result = combined(operands, block, into: Place(place))
      finishBlock(result, count: block.count, scratch: place, into: finished)
      for target in targets {
        withKernels {
          $0.stream(
            byteCount: block.count * elementSize, finished, into: target + block.start * elementSize
          )
        }
      }
    }
    withKernels { $0.finishStreams() }
  }

  /// Copies elements to memory that will be read after more than caches hold.
  func stream(_ x: UnsafeRawPointer, count: Int, into y: UnsafeMutableRawPointer) {
    withKernels {
      $0.stream(byteCount: count * elementSize, x, into: y)
      $0.finishStreams()
    }
  }

  /// The partial result that an element of one rank is.
  func widen(_ x: UnsafeRawPointer, count: Int, into y: UnsafeMutableRawPointer) {
    if isWidened {
      withKernels {
        $0.widen(type, count: count, x, into: y.assumingMemoryBound(to: Float.self))
      }
    } else if UnsafeRawPointer(y) != x {
      y.copyMemory(from: x, byteCount: count * elementSize)
    }
  }

  /// Elements from complete partial results; `x` may be `y`, and is no longer of use if the
  /// reduction is an average.
  func finish(
    _ x: UnsafeMutableRawPointer, count: Int, into y: UnsafeMutableRawPointer
  ) {
    forEachBlock(count) { block in
      let x = x + block.start * accumulatorSize
      finishBlock(x, count: block.count, scratch: x, into: y + block.start * elementSize)
    }
  }

  /// Whether no element is NaN or an infinity.
  /// - Precondition: elements are Float.
  func isFinite(_ x: UnsafeRawPointer, count: Int) -> Bool {
    let elements = UnsafeBufferPointer(start: x.assumingMemoryBound(to: Float.self), count: count)
    return means.kernels._withUnsafeGuaranteedRef { $0.isFinite(elements) }
  }

  private func finishBlock(
    _ block: UnsafeRawPointer, count: Int, scratch: UnsafeMutableRawPointer,
    into y: UnsafeMutableRawPointer
  ) {
    var block = block
    if divisor != 1 {
      if block != UnsafeRawPointer(scratch) {
        scratch.copyMemory(from: block, byteCount: count * accumulatorSize)
      }
      withKernels {
        $0.divide(type.accumulator, count: count, scratch, by: divisor)
      }
      block = UnsafeRawPointer(scratch)
    }
    if isWidened {
      withKernels {
        $0.narrow(type, count: count, block.assumingMemoryBound(to: Float.self), into: y)
      }
    } else if block != UnsafeRawPointer(y) {
      y.copyMemory(from: block, byteCount: count * elementSize)
    }
  }

  /// Whether the last operation on operands makes finished elements: it can write them to two places
  /// at once.
  private func areCombinedLast(_ operands: Operands) -> Bool {
    operands.pointers.count > 1 && divisor == 1 && !isWidened
  }

  /// Where results of an operation go.
  private struct Place {
    var first: UnsafeMutableRawPointer
    var second: UnsafeMutableRawPointer?
    /// Past the caches, if it is a kernel's operation.
    var streams: Bool

    init(
      _ first: UnsafeMutableRawPointer, _ second: UnsafeMutableRawPointer? = nil,
      streams: Bool = false
    ) {
      self.first = first
      self.second = second
      self.streams = streams
    }
  }

  /// The partial results of a block: in `place`, unless a single operand already has them.
  private func combined(
    _ operands: Operands, _ block: Block, into place: Place
  ) -> UnsafeRawPointer {
    combined(operands, 0..<operands.pointers.count, block, into: place, level: 1)
  }

  private func combined(
    _ operands: Operands, _ run: Range<Int>, _ block: Block, into place: Place, level: Int
  ) -> UnsafeRawPointer {
    if run.count == 1 {
      let operand = operands.pointers[run.lowerBound]
      guard isWidened, !operands.arePartial.contains(run.lowerBound) else {
        return operand + block.start * accumulatorSize
      }
      withKernels {
        $0.widen(
          type, count: block.count, operand + block.start * elementSize,
          into: place.first.assumingMemoryBound(to: Float.self))
      }
      return UnsafeRawPointer(place.first)
    }
    let middle =
      if let starts = operands.starts {
        SumTree.middle(of: run) { starts[$0] }
      } else {
        run.lowerBound + run.count.largestPowerOfTwoBelow
      }
    /// The next blocks of operands lie behind this one, those of intermediate results, which are in
    /// the cache, in its place.
    func ahead(_ run: Range<Int>) -> Int {
      run.count == 1 && !isWidened && operands.areFetched.contains(run.lowerBound)
        ? block.count + block.following : 0
    }
    // The left half's result must not overwrite an operand that the right half still reads.
    let left = combined(
      operands, run.lowerBound..<middle, block, into: Place(scratch(atLevel: level)),
      level: level + 1)
    let right = combined(
      operands, middle..<run.upperBound, block, into: Place(scratch(atLevel: level + 1)),
      level: level + 2)
    combine(
      block.count, ahead: (ahead(run.lowerBound..<middle), ahead(middle..<run.upperBound)),
      left, right, into: place)
    return UnsafeRawPointer(place.first)
  }

  private func combine(
    _ count: Int, ahead: (Int, Int), _ a: UnsafeRawPointer, _ b: UnsafeRawPointer,
    into place: Place
  ) {
    switch body {
    case .kernel(let kind):
      withKernels {
        $0.combine(
          kind, type.accumulator, count: count, ahead: ahead, a, b, into: place.first,
          and: place.second, streaming: place.streams)
      }
    case .custom(let combine):
      combine(count, a, b, place.first)
      place.second?.copyMemory(from: place.first, byteCount: count * accumulatorSize)
    }
  }

  private func withKernels(_ body: (KernelSet) -> Void) {
    means.kernels._withUnsafeGuaranteedRef(body)
  }

  /// The block for an intermediate result.
  private func scratch(atLevel number: Int) -> UnsafeMutableRawPointer {
    means.scratch._withUnsafeGuaranteedRef { $0.level(number) }
  }

  /// Elements that are reduced at once, and how many follow them.
  private struct Block {
    var start: Int
    var count: Int
    var following: Int
  }

  private func forEachBlock(_ count: Int, _ body: (Block) -> Void) {
    let limit = ReductionScratch.blockSize / accumulatorSize
    var start = 0
    while start < count {
      let end = min(start + limit, count)
      body(Block(start: start, count: end - start, following: count - end))
      start = end
    }
  }
}

/// Blocks for intermediate results, one per level of the deepest tree.
final class ReductionScratch {
  /// Bytes of a block.
  static let blockSize = 8192
  private static let levels = 2 * Int.bitWidth
  /// Beyond what trees need.
  static let last = levels - 1
  private let memory = UnsafeMutableRawPointer.allocate(
    byteCount: blockSize * levels, alignment: AlignedBuffer.alignment)

  func level(_ number: Int) -> UnsafeMutableRawPointer {
    memory + number * ReductionScratch.blockSize
  }

  deinit { memory.deallocate() }
}

extension Int {
  /// The largest power of two that is less than this number.
  /// - Precondition: at least 2.
  var largestPowerOfTwoBelow: Int { 1 << (Int.bitWidth - 1 - (self - 1).leadingZeroBitCount) }
}
