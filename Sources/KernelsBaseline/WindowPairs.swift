import CKernels

// Convolutions with few filters, which would fill less than half of a vector's lanes. Each vector
// has two numbers of each filter: of the windows i and i + 1, or of neighbouring elements d and
// d + 1 of a window. What they are multiplied with lies side by side in the image, where 64 bits are
// spread over a vector by one load:
//
//     image    ... a b c d ...       lanes    f0    f1    f2   ...
//                  |-|                       a  b  a  b  a  b
//                    |-|                     b  c  b  c  b  c
//
// Each lane is one chain of multiply-adds, in the order that the sums of products have.

// Sums of vectors in registers: as many as leave two for operands.
#if KERNELS_AVX512 || arch(arm64)
  private let pairRows = 16
  private typealias Vectors = InlineArray<16, Vector>
  private typealias Offsets = InlineArray<16, Int>
  @inline(__always)
  private func zeros() -> Vectors {
    let z = Vector(repeating: 0)
    return [z, z, z, z, z, z, z, z, z, z, z, z, z, z, z, z]
  }
  @inline(__always)
  private func noOffsets() -> Offsets { [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] }
#else
  private let pairRows = 12
  private typealias Vectors = InlineArray<12, Vector>
  private typealias Offsets = InlineArray<12, Int>
  @inline(__always)
  private func zeros() -> Vectors {
    let z = Vector(repeating: 0)
    return [z, z, z, z, z, z, z, z, z, z, z, z]
  }
  @inline(__always)
  private func noOffsets() -> Offsets { [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] }
#endif

/// A float and its neighbour, over and over.
@inline(__always)
private func spreadPair(_ p: UnsafePointer<Float>) -> Vector {
  let pair = UnsafeRawPointer(p).loadUnaligned(as: Double.self)
  return unsafeBitCast(DoubleVector(repeating: pair), to: Vector.self)
}

/// Each of lanes / 2 floats twice.
@inline(__always)
private func doubled(_ p: UnsafePointer<Float>) -> Vector {
  let half = UnsafeRawPointer(p).loadUnaligned(as: HalfVector.self)
  var v = Vector(repeating: 0)
  v.evenHalf = half
  v.oddHalf = half
  return v
}

func packPairs(
  _ depth: Int, _ filters: Int, _ w: UnsafePointer<Float>, _ pairs: UnsafeMutablePointer<Float>
) {
  for d in 0..<depth {
    store(Vector(repeating: 0), pairs + d * lanes)
    for f in 0..<filters {
      pairs[d * lanes + 2 * f] = w[d * filters + f]
      pairs[d * lanes + 2 * f + 1] = w[d * filters + f]
    }
  }
}

func unpackPairs(
  _ windows: UnsafePointer<CWindows>, _ filters: Int, _ sums: UnsafePointer<Float>,
  _ dw: UnsafeMutablePointer<Float>
) {
  let w = windows.pointee
  let rowLength = w.kernelWidth * w.channels
  let perRow = (rowLength + 1) / 2
  for ky in 0..<w.kernelHeight {
    for i in 0..<rowLength {
      let pair = sums + (ky * perRow + i / 2) * lanes + i % 2
      for f in 0..<filters { dw[(ky * rowLength + i) * filters + f] = pair[2 * f] }
    }
  }
}

// MARK: - Forward

/// Windows of one row of the image's results, two for each sum.
private struct ResultRow {
  var windows: CWindows
  var padded: UnsafePointer<Float>
  var stride: Int
  var filters: Int
  var pairs: UnsafePointer<Float>
  var start: UnsafePointer<Float>
  var isReLU: Bool
  var y: UnsafeMutablePointer<Float>
  /// Floats from `y` to the end of all results.
  var room: Int
  /// A tile's sums on their way to `y`.
  var block: UnsafeMutablePointer<Float>
}

func multiplyPairs(
  _ windows: UnsafePointer<CWindows>, _ padded: UnsafePointer<Float>, _ stride: Int,
  _ filters: Int, _ pairs: UnsafePointer<Float>, _ start: UnsafePointer<Float>, _ isReLU: Bool,
  _ y: UnsafeMutablePointer<Float>, _ room: Int
) {
  let w = windows.pointee
  var memory = zeros()
  withUnsafeMutableBytes(of: &memory) { bytes in
    let block = bytes.baseAddress!.assumingMemoryBound(to: Float.self)
    var row = ResultRow(
      windows: w, padded: padded, stride: stride, filters: filters, pairs: pairs, start: start,
      isReLU: isReLU, y: y, room: room, block: block)
    let count = (w.outputWidth + 1) / 2
    let tiles = (count + pairRows - 1) / pairRows
    for _ in 0..<w.outputHeight {
      for tile in 0..<tiles {
        let first = tile * count / tiles
        let end = (tile + 1) * count / tiles
        multiplyWindows(&row, first, count: end - first)
        write(row, windows: 2 * first..<min(2 * end, w.outputWidth))
      }
      row.padded += w.strideY * stride
      row.y += w.outputWidth * filters
      row.room -= w.outputWidth * filters
    }
  }
}

/// Takes a tile's sums apart. What is written beyond a window's filters is the next window's, and
/// written again.
@inline(__always)
private func write(_ row: ResultRow, windows: Range<Int>) {
  let filters = row.filters
  let y = row.y + windows.lowerBound * filters
  if (windows.count - 1) * filters + lanes / 2 <= row.room - windows.lowerBound * filters {
    var target = UnsafeMutableRawPointer(y)
    let step = filters * MemoryLayout<Float>.size
    for pair in 0..<windows.count / 2 {
      let sums = load(row.block + pair * lanes)
      target.storeBytes(of: sums.evenHalf, as: HalfVector.self)
      (target + step).storeBytes(of: sums.oddHalf, as: HalfVector.self)
      target += 2 * step
    }
    if windows.count % 2 != 0 {
      target.storeBytes(
        of: load(row.block + (windows.count - 1) / 2 * lanes).evenHalf, as: HalfVector.self)
    }
  } else {
    for window in 0..<windows.count {
      let pair = row.block + window / 2 * lanes + window % 2
      for f in 0..<filters { y[window * filters + f] = pair[2 * f] }
    }
  }
}

private func multiplyWindows(_ row: UnsafePointer<ResultRow>, _ first: Int, count: Int) {
  switch count {
  case 1: PairTile<1>.multiplyWindows(row, first)
  case 2: PairTile<2>.multiplyWindows(row, first)
  case 3: PairTile<3>.multiplyWindows(row, first)
  case 4: PairTile<4>.multiplyWindows(row, first)
  case 5: PairTile<5>.multiplyWindows(row, first)
  case 6: PairTile<6>.multiplyWindows(row, first)
  case 7: PairTile<7>.multiplyWindows(row, first)
  case 8: PairTile<8>.multiplyWindows(row, first)
  case 9: PairTile<9>.multiplyWindows(row, first)
  case 10: PairTile<10>.multiplyWindows(row, first)
  case 11: PairTile<11>.multiplyWindows(row, first)
  #if KERNELS_AVX512 || arch(arm64)
    case 12: PairTile<12>.multiplyWindows(row, first)
    case 13: PairTile<13>.multiplyWindows(row, first)
    case 14: PairTile<14>.multiplyWindows(row, first)
    case 15: PairTile<15>.multiplyWindows(row, first)
    default: PairTile<16>.multiplyWindows(row, first)
  #else
    default: PairTile<12>.multiplyWindows(row, first)
  #endif
  }
}

// MARK: - The gradient by the weights

/// Sums over an image's windows, one for every two elements of the window.
private struct PairSums {
  var windows: CWindows
  var padded: UnsafePointer<Float>
  var stride: Int
  var filters: Int
  var dy: UnsafePointer<Float>
  var sums: UnsafeMutablePointer<Float>
  /// Where each sum's elements are, counted from the window's first.
  var offsets = noOffsets()
}

func addPairs(
  _ windows: UnsafePointer<CWindows>, _ padded: UnsafePointer<Float>, _ stride: Int,
  _ filters: Int, _ dy: UnsafePointer<Float>, _ sums: UnsafeMutablePointer<Float>
) {
  let w = windows.pointee
  var pairs = PairSums(
    windows: w, padded: padded, stride: stride, filters: filters, dy: dy, sums: sums)
  let perRow = (w.kernelWidth * w.channels + 1) / 2
  let count = w.kernelHeight * perRow
  let tiles = (count + pairRows - 1) / pairRows
  for tile in 0..<tiles {
    let first = tile * count / tiles
    let end = (tile + 1) * count / tiles
    for i in first..<end { pairs.offsets[i - first] = i / perRow * stride + i % perRow * 2 }
    multiplyElements(&pairs, count: end - first)
    pairs.sums += (end - first) * lanes
  }
}

private func multiplyElements(_ pairs: UnsafePointer<PairSums>, count: Int) {
  switch count {
  case 1: PairTile<1>.multiplyElements(pairs)
  case 2: PairTile<2>.multiplyElements(pairs)
  case 3: PairTile<3>.multiplyElements(pairs)
  case 4: PairTile<4>.multiplyElements(pairs)
  case 5: PairTile<5>.multiplyElements(pairs)
  case 6: PairTile<6>.multiplyElements(pairs)
  case 7: PairTile<7>.multiplyElements(pairs)
  case 8: PairTile<8>.multiplyElements(pairs)
  case 9: PairTile<9>.multiplyElements(pairs)
  case 10: PairTile<10>.multiplyElements(pairs)
  case 11: PairTile<11>.multiplyElements(pairs)
  #if KERNELS_AVX512 || arch(arm64)
    case 12: PairTile<12>.multiplyElements(pairs)
    case 13: PairTile<13>.multiplyElements(pairs)
    case 14: PairTile<14>.multiplyElements(pairs)
    case 15: PairTile<15>.multiplyElements(pairs)
    default: PairTile<16>.multiplyElements(pairs)
  #else
    default: PairTile<12>.multiplyElements(pairs)
  #endif
  }
}

// MARK: - The tile

/// `rows` sums: registers, where sizes are constants and everything is inlined into one function.
private struct PairTile<let rows: Int> {
  private var sums = zeros()

  @inline(__always)
  init() {}

  /// Loops over rows come in pairs, as those of the tile of a product do.
  @inline(__always)
  private var split: Int { rows > 8 ? rows / 2 : 0 }

  /// Two windows for each sum.
  @inline(never)
  static func multiplyWindows(_ row: UnsafePointer<ResultRow>, _ first: Int) {
    var tile = PairTile()
    let start = load(row.pointee.start)
    for i in 0..<tile.split { tile.sums[i] = start }
    for i in tile.split..<rows { tile.sums[i] = start }
    var line = row.pointee.padded + 2 * first
    var right = row.pointee.pairs
    for _ in 0..<row.pointee.windows.kernelHeight {
      var left = line
      for _ in 0..<row.pointee.windows.kernelWidth {
        let b = load(right)
        for i in 0..<tile.split { tile.add(i, left + 2 * i, b) }
        for i in tile.split..<rows { tile.add(i, left + 2 * i, b) }
        left += 1
        right += lanes
      }
      line += row.pointee.stride
    }
    if row.pointee.isReLU {
      for i in 0..<tile.split { tile.sums[i] = positivePart(tile.sums[i]) }
      for i in tile.split..<rows { tile.sums[i] = positivePart(tile.sums[i]) }
    }
    tile.write(to: row.pointee.block)
  }

  /// Two elements of the window for each sum.
  @inline(never)
  static func multiplyElements(_ pairs: UnsafePointer<PairSums>) {
    let w = pairs.pointee.windows
    let filters = pairs.pointee.filters
    let offsets = pairs.pointee.offsets
    var tile = PairTile()
    let sums = pairs.pointee.sums
    for i in 0..<tile.split { tile.sums[i] = load(sums + i * lanes) }
    for i in tile.split..<rows { tile.sums[i] = load(sums + i * lanes) }
    var line = pairs.pointee.padded
    var dy = pairs.pointee.dy
    let step = w.strideX * w.channels
    for _ in 0..<w.outputHeight {
      var left = line
      for _ in 0..<w.outputWidth {
        let b = doubled(dy)
        for i in 0..<tile.split { tile.add(i, left + offsets[i], b) }
        for i in tile.split..<rows { tile.add(i, left + offsets[i], b) }
        left += step
        dy += filters
      }
      line += w.strideY * pairs.pointee.stride
    }
    tile.write(to: sums)
  }

  @inline(__always)
  private mutating func add(_ i: Int, _ left: UnsafePointer<Float>, _ b: Vector) {
    sums[i] = multiplyAdd(sums[i], spreadPair(left), b)
  }

  @inline(__always)
  private func write(to target: UnsafeMutablePointer<Float>) {
    for i in 0..<split { store(sums[i], target + i * lanes) }
    for i in split..<rows { store(sums[i], target + i * lanes) }
  }
}
