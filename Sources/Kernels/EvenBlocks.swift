/// 0..<extent, cut into the fewest parts of at most `limit` elements; parts are of equal size, but
/// for the last, and start at multiples of `unit`. An empty extent is one empty part.
struct EvenBlocks: RandomAccessCollection {
  let extent: Int
  /// Elements of each part but the last.
  let size: Int
  let startIndex = 0
  let endIndex: Int

  init(of extent: Int, limit: Int, unit: Int = 1) {
    func quotient(_ a: Int, _ b: Int) -> Int { (a + b - 1) / b }
    self.extent = extent
    let parts = Swift.max(quotient(extent, Swift.max(limit / unit * unit, unit)), 1)
    size = Swift.max(quotient(quotient(extent, parts), unit), 1) * unit
    endIndex = Swift.max(quotient(extent, size), 1)
  }

  /// As many parts of equal size, or fewer where these would be smaller than a unit.
  init(of extent: Int, parts: Int, unit: Int) {
    self.init(
      of: extent, limit: ((extent + parts - 1) / parts + unit - 1) / unit * unit, unit: unit)
  }

  subscript(i: Int) -> Range<Int> { i * size..<Swift.min((i + 1) * size, extent) }
}
