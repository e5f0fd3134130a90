import CKernels

// The most rows of `multiplyRows`: with more, sums and left factors need more registers than there
// are.
#if KERNELS_AVX512 || arch(arm64)
  let streamedRows = 4
#else
  let streamedRows = 2
#endif

/// A product of few rows and whole vectors of columns. The right operand is read once, row after
/// row, as it lies in memory: its transfer is what takes the time.
func multiplyRows(_ product: UnsafePointer<CProduct>) {
  switch product.pointee.rows {
  case 1: multiplyRow(product)
  #if KERNELS_AVX512 || arch(arm64)
    case 3: multiplyThreeRows(product)
    case 4: multiplyFourRows(product)
  #endif
  default: multiplyTwoRows(product)
  }
}

@inline(never)
private func multiplyRow(_ product: UnsafePointer<CProduct>) { multiplyRows(1, product) }

@inline(never)
private func multiplyTwoRows(_ product: UnsafePointer<CProduct>) { multiplyRows(2, product) }

#if KERNELS_AVX512 || arch(arm64)
  @inline(never)
  private func multiplyThreeRows(_ product: UnsafePointer<CProduct>) { multiplyRows(3, product) }

  @inline(never)
  private func multiplyFourRows(_ product: UnsafePointer<CProduct>) { multiplyRows(4, product) }
#endif

/// The same for a constant number of rows. Sums wait in the result, and take several terms on one
/// visit: as many as there are registers for their left factors.
@inline(__always)
private func multiplyRows(_ rows: Int, _ product: UnsafePointer<CProduct>) {
  let p = product.pointee
  #if KERNELS_AVX512 || arch(arm64)
    let step = rows < 3 ? 8 : 4
  #else
    let step = rows == 1 ? 8 : 4
  #endif
  // The sums of a block of columns stay in the first-level cache.
  let block = 2048 / rows / lanes * lanes
  var column = 0
  while column < p.columns {
    let end = min(column + block, p.columns)
    startRows(rows, p, column, end)
    var d = 0
    while d + step <= p.depth {
      addTerms(rows, step, p, d, column, end)
      d += step
    }
    while d < p.depth {
      addTerms(rows, 1, p, d, column, end)
      d += 1
    }
    finishRows(rows, p, column, end)
    column = end
  }
}

@inline(__always)
private func startRows(_ rows: Int, _ p: CProduct, _ column: Int, _ end: Int) {
  for i in 0..<rows {
    let result = p.result + i * p.resultStride
    for j in stride(from: column, to: end, by: lanes) {
      store(p.start.map { load($0 + i * p.startStride + j) } ?? Vector(repeating: 0), result + j)
    }
  }
}

/// Adds the terms of `count` (a constant) steps of the depth, from the `d`-th on.
@inline(__always)
private func addTerms(
  _ rows: Int, _ count: Int, _ p: CProduct, _ d: Int, _ column: Int, _ end: Int
) {
  let left = p.left + d
  let right = p.right + d * p.rightStride
  let zero = Vector(repeating: 0)
  var j = column
  while j < end {
    let result = p.result + j
    var sums: InlineArray<4, Vector> = [zero, zero, zero, zero]  // of `rows`
    for i in 0..<rows { sums[i] = load(result + i * p.resultStride) }
    for s in 0..<count {
      let b = load(right + s * p.rightStride + j)
      for i in 0..<rows {
        sums[i] = multiplyAdd(sums[i], Vector(repeating: left[i * p.leftStride + s]), b)
      }
    }
    for i in 0..<rows { store(sums[i], result + i * p.resultStride) }
    j += lanes
  }
}

@inline(__always)
private func finishRows(_ rows: Int, _ p: CProduct, _ column: Int, _ end: Int) {
  // Raw values: the comparison of enumerations of C is a weak function.
  let isReLU = p.finish.rawValue == CFinishReLU.rawValue
  guard isReLU || p.mask != nil else { return }
  for i in 0..<rows {
    let result = p.result + i * p.resultStride
    for j in stride(from: column, to: end, by: lanes) {
      let sum = load(result + j)
      store(
        isReLU ? positivePart(sum) : masked(sum, by: load(p.mask! + i * p.maskStride + j)),
        result + j)
    }
  }
}
