// How operations are shared by the threads of a kernel set. Parts are pieces of the result - elements,
// rows, tiles, images - or whole subtrees of the shard tree, whose sums are kept apart anyway: no
// chain of additions is cut, so that the bits are those of one thread.

/// The least work that is worth another thread, found by measuring (Documentation/Kernels.md): some
/// 5 us of it, several times what it takes to hand over a part and to see that it is done.
enum Grain {
  /// Elements of an operation that reads and writes memory.
  static let elements = 32 * 1024
  /// Elements of one with an elementary function in it.
  static let functions = 8 * 1024
  /// Multiply-adds of a product.
  static let multiplyAdds = 512 * 1024
}

extension KernelSet {
  /// Threads that work, the caller included.
  public var threads: Int { helpers.count + 1 }

  /// The kernels, and the scratch, of a thread.
  private func kernels(ofThread thread: Int) -> KernelSet {
    thread == 0 ? self : helpers[thread - 1]
  }

  /// The threads that are worth their while for `work`.
  func threads(for work: Int, grain: Int) -> Int {
    max(1, min(threads, dividesLittleWork ? work : work / grain))
  }

  /// Cuts 0..<count into equal parts, one a thread, and has `body` do each.
  ///
  /// - Parameters:
  ///   - work: all of it, in units of `grain`.
  ///   - unit: parts begin at multiples of it.
  ///   - operands: what `body` is about, passed on so that it need not capture it: a closure that
  ///     captures takes memory from the heap in every call.
  ///   - body: called with the kernels of the thread that does the part.
  func divide<Operands>(
    _ count: Int, work: Int, grain: Int, unit: Int = 1, _ operands: Operands,
    _ body: @escaping (_ kernels: KernelSet, _ operands: Operands, _ part: Range<Int>) -> Void
  ) {
    let parts = threads(for: work, grain: grain)
    guard parts > 1 else { return body(self, operands, 0..<count) }
    run(EvenBlocks(of: count, parts: parts, unit: unit), operands, body)
  }

  /// The same for elements, on boundaries of cache lines.
  func divide<Operands>(
    elements count: Int, grain: Int = Grain.elements, _ operands: Operands,
    _ body: @escaping (_ kernels: KernelSet, _ operands: Operands, _ part: Range<Int>) -> Void
  ) {
    divide(
      count, work: count, grain: grain,
      unit: AlignedBuffer.alignment / MemoryLayout<Float>.stride, operands, body)
  }

  /// The same for the rows of a matrix.
  func divide<Operands>(
    rowsOf x: Matrix, grain: Int = Grain.elements, _ operands: Operands,
    _ body: @escaping (_ kernels: KernelSet, _ operands: Operands, _ rows: Range<Int>) -> Void
  ) {
    divide(x.rows, work: x.count, grain: grain, operands, body)
  }

  /// y = function(x), element by element; `y` may be `x`.
  func apply(
    _ function: ElementKernel, grain: Int, _ x: Matrix, _ y: Matrix
  ) {
    precondition(x.count == y.count)
    divide(elements: x.count, grain: grain, (function: function, x: x.base, y: y.base)) {
      _, o, part in
      o.function(part.count, o.x + part.lowerBound, o.y + part.lowerBound)
    }
  }

  /// dx = gradient(x, dy), element by element, where `x` is what the gradient is a function of: the
  /// input of the forward pass, or its output. `dx` may be either.
  func apply(
    gradient: ElementGradientKernel, grain: Int, _ x: Matrix, _ dy: Matrix,
    _ dx: Matrix
  ) {
    precondition(x.count == dy.count && x.count == dx.count)
    divide(
      elements: x.count, grain: grain, (gradient: gradient, x: x.base, dy: dy.base, dx: dx.base)
    ) { _, o, part in
      o.gradient(
        part.count, o.x + part.lowerBound, o.dy + part.lowerBound, o.dx + part.lowerBound)
    }
  }

  /// Has `body` do every block; as in `divide`, it must not capture anything.
  func run<Operands>(
    _ blocks: EvenBlocks, _ operands: Operands,
    _ body: @escaping (_ kernels: KernelSet, _ operands: Operands, _ block: Range<Int>) -> Void
  ) {
    guard let pool else {
      for block in blocks { body(self, operands, block) }
      return
    }
    pool.run(
      KernelWork(kernels: self, blocks: blocks, operands: operands, body: body), parts: blocks.count
    )
  }

  private struct KernelWork<Operands>: DividedWork {
    unowned(unsafe) let kernels: KernelSet
    let blocks: EvenBlocks
    let operands: Operands
    let body: (KernelSet, Operands, Range<Int>) -> Void

    func run(part: Int, thread: Int) {
      body(kernels.kernels(ofThread: thread), operands, blocks[part])
    }
  }
}

extension Matrix {
  /// Some of the rows.
  func rows(_ range: Range<Int>) -> Matrix {
    Matrix(row(range.lowerBound), rows: range.count, columns: columns)
  }
}
