import CKernels

// The register tile of the matrix product (Goto & van de Geijn, ACM TOMS 2008; BLIS, ACM TOMS 2015).

// Accumulators fill the vector registers, less two for a row of the right operand and one for an
// element of the left one:
//
//            b0        b1          two vectors of the right operand's row
//       +---------+---------+
//   a0  | first 0 | second 0|
//   a1  | first 1 | second 1|      rows x 2 accumulators: 24 of AVX-512's and NEON's 32
//   ..  |   ...   |   ...   |      registers, 12 of the 16 of SSE and AVX2
//       +---------+---------+
//
// Zeros are spelled out: InlineArray(repeating:) may stay a call, and the array in memory.
#if KERNELS_AVX512 || arch(arm64)
  let tileRows = 12
  private typealias Rows = InlineArray<12, Vector>
  @inline(__always)
  private func zeros() -> Rows {
    let z = Vector(repeating: 0)
    return [z, z, z, z, z, z, z, z, z, z, z, z]
  }
#else
  let tileRows = 6
  private typealias Rows = InlineArray<6, Vector>
  @inline(__always)
  private func zeros() -> Rows {
    let z = Vector(repeating: 0)
    return [z, z, z, z, z, z]
  }
#endif
let tileColumns = 2 * lanes

/// Rows of an operand between the one in use and the one that is asked for, where rows lie apart and
/// the CPU does not foresee them: multiply-adds that wait for a row leave no room for loads of later
/// ones. More would not stay in the first-level cache where rows lie a multiple of 4 KiB apart.
private let rowsAhead = 6

/// How the left operand lies in memory; see `CLeftForm`.
// Private, as `Tile` is. Not an enumeration, which would come with a function that hashes it.
private struct LeftForm {
  var areRows = false
  var isSpread = false

  @inline(__always) var areColumns: Bool { !areRows && !isSpread }

  @inline(__always) static var rows: LeftForm { LeftForm(areRows: true) }
  @inline(__always) static var columns: LeftForm { LeftForm() }
  @inline(__always) static var spread: LeftForm { LeftForm(isSpread: true) }

  @inline(__always)
  static func of(_ p: UnsafePointer<CProduct>) -> LeftForm {
    let form = p.pointee.leftForm.rawValue
    return LeftForm(
      areRows: form == CLeftRows.rawValue,
      isSpread: spreadsLeft && form == CLeftSpread.rawValue)
  }
}

/// The first element of a row of the left operand that begins a tile.
@inline(__always)
func leftRow(_ row: Int, of p: UnsafePointer<CProduct>) -> UnsafePointer<Float> {
  leftRow(row, of: p, .of(p))
}

@inline(__always)
private func leftRow(
  _ row: Int, of p: UnsafePointer<CProduct>, _ form: LeftForm
) -> UnsafePointer<Float> {
  if form.areRows { return p.pointee.left + row * p.pointee.leftStride }
  return p.pointee.left + (form.isSpread ? row * p.pointee.depth * lanes : row)
}

/// Makes rows x vectors sums at (`row`, `column`), whole vectors.
func multiplyTile(
  _ p: UnsafePointer<CProduct>, rows: Int, vectors: Int, row: Int, column: Int
) {
  switch rows {
  case 1: Tile<1>.multiply(p, vectors, row, column)
  case 2: Tile<2>.multiply(p, vectors, row, column)
  case 3: Tile<3>.multiply(p, vectors, row, column)
  case 4: Tile<4>.multiply(p, vectors, row, column)
  case 5: Tile<5>.multiply(p, vectors, row, column)
  #if KERNELS_AVX512 || arch(arm64)
    case 6: Tile<6>.multiply(p, vectors, row, column)
    case 7: Tile<7>.multiply(p, vectors, row, column)
    case 8: Tile<8>.multiply(p, vectors, row, column)
    case 9: Tile<9>.multiply(p, vectors, row, column)
    case 10: Tile<10>.multiply(p, vectors, row, column)
    case 11: Tile<11>.multiply(p, vectors, row, column)
    default: Tile<12>.multiply(p, vectors, row, column)
  #else
    default: Tile<6>.multiply(p, vectors, row, column)
  #endif
  }
}

/// Whether `multiplyTile(_:copyingTo:column:)` can begin the panels of a product.
@inline(__always)
func canCopy(_ p: UnsafePointer<CProduct>) -> Bool {
  p.pointee.rows >= tileRows && LeftForm.of(p).areRows
}

/// Makes the first tileRows rows of a whole panel from the right operand where it lies in rows, and
/// packs the panel.
func multiplyTile(
  _ p: UnsafePointer<CProduct>, copyingTo panel: UnsafeMutablePointer<Float>, column: Int
) {
  #if KERNELS_AVX512 || arch(arm64)
    Tile<12>.multiply(p, copyingTo: panel, column)
  #else
    Tile<6>.multiply(p, copyingTo: panel, column)
  #endif
}

/// Makes rows x vectors sums at (`row`, `column`), summed over shards.
func multiplyShards(
  _ p: UnsafePointer<CProduct>, _ shards: UnsafePointer<CShards>, rows: Int, vectors: Int, row: Int,
  column: Int
) {
  switch rows {
  case 1: Tile<1>.multiply(p, shards, vectors, row, column)
  case 2: Tile<2>.multiply(p, shards, vectors, row, column)
  case 3: Tile<3>.multiply(p, shards, vectors, row, column)
  case 4: Tile<4>.multiply(p, shards, vectors, row, column)
  case 5: Tile<5>.multiply(p, shards, vectors, row, column)
  #if KERNELS_AVX512 || arch(arm64)
    case 6: Tile<6>.multiply(p, shards, vectors, row, column)
    case 7: Tile<7>.multiply(p, shards, vectors, row, column)
    case 8: Tile<8>.multiply(p, shards, vectors, row, column)
    case 9: Tile<9>.multiply(p, shards, vectors, row, column)
    case 10: Tile<10>.multiply(p, shards, vectors, row, column)
    case 11: Tile<11>.multiply(p, shards, vectors, row, column)
    default: Tile<12>.multiply(p, shards, vectors, row, column)
  #else
    default: Tile<6>.multiply(p, shards, vectors, row, column)
  #endif
  }
}

/// The sums of `rows` rows and one or two vectors of columns. They are registers where sizes are
/// constants and all methods are inlined into one function, which then is as small as can be: the
/// optimizer gives up on large ones.
// Private, so that no generic code or metadata is emitted beside the sizes in use.
private struct Tile<let rows: Int> {
  private var first = zeros()
  private var second = zeros()

  @inline(__always)
  init() {}

  /// Loops over rows come in pairs, for few rows of an empty one: of a loop with more in it than
  /// half of many rows the compiler would not make straight code, and where it need not be cut it
  /// keeps fewer elements in registers.
  @inline(__always)
  private var split: Int { rows > 8 ? rows / 2 : 0 }

  @inline(__always)
  mutating func start(from source: UnsafePointer<Float>, _ stride: Int, _ vectors: Int) {
    for i in 0..<split { startRow(i, source + i * stride, vectors) }
    for i in split..<rows { startRow(i, source + i * stride, vectors) }
  }

  @inline(__always)
  private mutating func startRow(_ i: Int, _ source: UnsafePointer<Float>, _ vectors: Int) {
    first[i] = load(source)
    if vectors > 1 { second[i] = load(source + lanes) }
  }

  @inline(__always)
  mutating func add(_ source: UnsafePointer<Float>, _ stride: Int, _ vectors: Int) {
    for i in 0..<split { addRow(i, source + i * stride, vectors) }
    for i in split..<rows { addRow(i, source + i * stride, vectors) }
  }

  @inline(__always)
  private mutating func addRow(_ i: Int, _ source: UnsafePointer<Float>, _ vectors: Int) {
    first[i] += load(source)
    if vectors > 1 { second[i] += load(source + lanes) }
  }

  @inline(__always)
  func write(to target: UnsafeMutablePointer<Float>, _ stride: Int, _ vectors: Int) {
    for i in 0..<split { writeRow(i, target + i * stride, vectors) }
    for i in split..<rows { writeRow(i, target + i * stride, vectors) }
  }

  @inline(__always)
  private func writeRow(_ i: Int, _ target: UnsafeMutablePointer<Float>, _ vectors: Int) {
    store(first[i], target)
    if vectors > 1 { store(second[i], target + lanes) }
  }

  /// Continues the sums over `depth`.
  @inline(__always)
  mutating func multiply(
    _ depth: Int, _ left: UnsafePointer<Float>, _ leftStride: Int, _ form: LeftForm,
    _ right: UnsafePointer<Float>, _ rightStride: Int, _ vectors: Int
  ) {
    let rowStride = form.isSpread ? lanes : form.areRows ? leftStride : 1
    let step = form.areRows ? 1 : leftStride
    var left = left
    var right = right
    for _ in 0..<depth {
      let b0 = load(right)
      let b1 = vectors > 1 ? load(right + lanes) : b0
      if form.areColumns { CKernels_prefetch(left + rowsAhead * step) }
      addProducts(left, rowStride, form, b0, b1, vectors)
      left += step
      right += rightStride
    }
  }

  /// The same with a left operand of rows and both vectors, which are stored as they are loaded.
  @inline(__always)
  mutating func multiply(
    _ depth: Int, _ left: UnsafePointer<Float>, _ leftStride: Int, _ right: UnsafePointer<Float>,
    _ rightStride: Int, copyingTo panel: UnsafeMutablePointer<Float>
  ) {
    var left = left
    var right = right
    var panel = panel
    for _ in 0..<depth {
      let b0 = load(right)
      let b1 = load(right + lanes)
      store(b0, panel)
      store(b1, panel + lanes)
      CKernels_prefetch(right + rowsAhead * rightStride)
      CKernels_prefetch(right + rowsAhead * rightStride + lanes)
      addProducts(left, leftStride, .rows, b0, b1, 2)
      left += 1
      right += rightStride
      panel += tileColumns
    }
  }

  /// Continues the sums by one element of the depth.
  @inline(__always)
  private mutating func addProducts(
    _ left: UnsafePointer<Float>, _ rowStride: Int, _ form: LeftForm, _ b0: Vector, _ b1: Vector,
    _ vectors: Int
  ) {
    for i in 0..<split { multiplyRow(i, left + i * rowStride, form, b0, b1, vectors) }
    for i in split..<rows { multiplyRow(i, left + i * rowStride, form, b0, b1, vectors) }
  }

  @inline(__always)
  private mutating func multiplyRow(
    _ i: Int, _ left: UnsafePointer<Float>, _ form: LeftForm, _ b0: Vector, _ b1: Vector,
    _ vectors: Int
  ) {
    let a = form.isSpread ? load(left) : Vector(repeating: left.pointee)
    first[i] = multiplyAdd(first[i], a, b0)
    if vectors > 1 { second[i] = multiplyAdd(second[i], a, b1) }
  }

  /// Does what `finish` says and writes the sums to (`row`, `column`) of the result.
  @inline(__always)
  mutating func finish(_ p: UnsafePointer<CProduct>, _ row: Int, _ column: Int, _ vectors: Int) {
    if p.pointee.finish.rawValue == CFinishReLU.rawValue {
      for i in 0..<rows { first[i] = positivePart(first[i]) }
      for i in 0..<rows where vectors > 1 { second[i] = positivePart(second[i]) }
    } else if let mask = p.pointee.mask {
      let stride = p.pointee.maskStride
      let mask = mask + row * stride + column
      for i in 0..<rows { first[i] = masked(first[i], by: load(mask + i * stride)) }
      for i in 0..<rows where vectors > 1 {
        second[i] = masked(second[i], by: load(mask + i * stride + lanes))
      }
    }
    let stride = p.pointee.resultStride
    write(to: p.pointee.result + row * stride + column, stride, vectors)
  }
}

/// A tile of a product: a function for each height and each of these forms.
extension Tile {
  @inline(__always)
  static func multiply(
    _ p: UnsafePointer<CProduct>, _ vectors: Int, _ row: Int, _ column: Int
  ) {
    let form = LeftForm.of(p)
    switch (vectors, form.areRows, form.isSpread) {
    case (1, true, _): multiplyRows1(p, row, column)
    case (1, false, false): multiplyColumns1(p, row, column)
    case (1, false, true): multiplySpread1(p, row, column)
    case (_, true, _): multiplyRows2(p, row, column)
    case (_, false, false): multiplyColumns2(p, row, column)
    case (_, false, true): multiplySpread2(p, row, column)
    }
  }

  @inline(never)
  private static func multiplyRows1(_ p: UnsafePointer<CProduct>, _ row: Int, _ column: Int) {
    multiply(p, 1, .rows, row, column)
  }

  @inline(never)
  private static func multiplyColumns1(_ p: UnsafePointer<CProduct>, _ row: Int, _ column: Int) {
    multiply(p, 1, .columns, row, column)
  }

  @inline(never)
  private static func multiplyRows2(_ p: UnsafePointer<CProduct>, _ row: Int, _ column: Int) {
    multiply(p, 2, .rows, row, column)
  }

  @inline(never)
  private static func multiplyColumns2(_ p: UnsafePointer<CProduct>, _ row: Int, _ column: Int) {
    multiply(p, 2, .columns, row, column)
  }

  @inline(never)
  private static func multiplySpread1(_ p: UnsafePointer<CProduct>, _ row: Int, _ column: Int) {
    multiply(p, 1, .spread, row, column)
  }

  @inline(never)
  private static func multiplySpread2(_ p: UnsafePointer<CProduct>, _ row: Int, _ column: Int) {
    multiply(p, 2, .spread, row, column)
  }

  @inline(never)
  static func multiply(
    _ p: UnsafePointer<CProduct>, copyingTo panel: UnsafeMutablePointer<Float>, _ column: Int
  ) {
    var tile = started(p, 2, 0, column)
    tile.multiply(
      p.pointee.depth, p.pointee.left, p.pointee.leftStride,
      p.pointee.right + column / tileColumns * p.pointee.panelStride, p.pointee.rightStride,
      copyingTo: panel)
    tile.finish(p, 0, column, 2)
  }

  /// The sums where those at (`row`, `column`) start.
  @inline(__always)
  private static func started(
    _ p: UnsafePointer<CProduct>, _ vectors: Int, _ row: Int, _ column: Int
  ) -> Tile {
    var tile = Tile()
    if let start = p.pointee.start {
      let stride = p.pointee.startStride
      tile.start(from: start + row * stride + column, stride, vectors)
    }
    return tile
  }

  @inline(__always)
  private static func multiply(
    _ p: UnsafePointer<CProduct>, _ vectors: Int, _ form: LeftForm, _ row: Int, _ column: Int
  ) {
    var tile = started(p, vectors, row, column)
    let leftStride = form.isSpread ? rows * lanes : p.pointee.leftStride
    var left = leftRow(row, of: p, form)
    var right = p.pointee.right + column / tileColumns * p.pointee.panelStride
    for _ in 0..<p.pointee.runs {
      tile.multiply(
        p.pointee.depth, left, leftStride, form, right, p.pointee.rightStride, vectors)
      left += p.pointee.leftRun
      right += p.pointee.rightRun
    }
    tile.finish(p, row, column, vectors)
  }
}

/// A tile of x^T dy. Sums of shards are added along the shard tree while they are in registers; those
/// that wait for their sibling lie in the first-level cache.
extension Tile {
  @inline(__always)
  static func multiply(
    _ p: UnsafePointer<CProduct>, _ shards: UnsafePointer<CShards>, _ vectors: Int, _ row: Int,
    _ column: Int
  ) {
    switch (vectors, LeftForm.of(p).isSpread) {
    case (1, true): multiplySpreadShards1(p, shards, row, column)
    case (1, false): multiplyShards1(p, shards, row, column)
    case (_, true): multiplySpreadShards2(p, shards, row, column)
    case (_, false): multiplyShards2(p, shards, row, column)
    }
  }

  @inline(never)
  private static func multiplyShards1(
    _ p: UnsafePointer<CProduct>, _ shards: UnsafePointer<CShards>, _ row: Int, _ column: Int
  ) {
    multiplyShards(p, shards, 1, .columns, row, column)
  }

  @inline(never)
  private static func multiplyShards2(
    _ p: UnsafePointer<CProduct>, _ shards: UnsafePointer<CShards>, _ row: Int, _ column: Int
  ) {
    multiplyShards(p, shards, 2, .columns, row, column)
  }

  @inline(never)
  private static func multiplySpreadShards1(
    _ p: UnsafePointer<CProduct>, _ shards: UnsafePointer<CShards>, _ row: Int, _ column: Int
  ) {
    multiplyShards(p, shards, 1, .spread, row, column)
  }

  @inline(never)
  private static func multiplySpreadShards2(
    _ p: UnsafePointer<CProduct>, _ shards: UnsafePointer<CShards>, _ row: Int, _ column: Int
  ) {
    multiplyShards(p, shards, 2, .spread, row, column)
  }

  @inline(__always)
  private static func multiplyShards(
    _ p: UnsafePointer<CProduct>, _ shards: UnsafePointer<CShards>, _ vectors: Int,
    _ form: LeftForm, _ row: Int, _ column: Int
  ) {
    let rightStride = p.pointee.rightStride
    let leftStride = form.isSpread ? rows * lanes : p.pointee.leftStride
    let left = leftRow(row, of: p, form)
    let right = p.pointee.right + column / tileColumns * p.pointee.panelStride
    let width = vectors * lanes
    var waiting = shards.pointee.waiting
    var begin = 0
    var shard = 0
    while true {
      let end = shards.pointee.ends[shard]
      var tile = Tile()
      tile.multiply(
        end - begin, left + begin * leftStride, leftStride, form, right + begin * rightStride,
        rightStride, vectors)
      for _ in 0..<shards.pointee.merges[shard] {
        waiting -= rows * width
        tile.add(waiting, width, vectors)
      }
      begin = end
      shard += 1
      if shard == shards.pointee.count {
        if let start = p.pointee.start {
          let stride = p.pointee.startStride
          tile.add(start + row * stride + column, stride, vectors)
        }
        tile.finish(p, row, column, vectors)
        return
      }
      tile.write(to: waiting, width, vectors)
      waiting += rows * width
    }
  }
}

/// max(v, 0); NaN stays NaN.
@inline(__always)
func positivePart(_ v: Vector) -> Vector { v.replacing(with: 0, where: v .< 0) }

/// v where mask > 0, else 0.
@inline(__always)
func masked(_ v: Vector, by mask: Vector) -> Vector {
  Vector(repeating: 0).replacing(with: v, where: mask .> 0)
}
