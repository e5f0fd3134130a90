import CKernels

// Packing of the right operand: panels of tileColumns columns, one row of the panel after the
// other, so that the tile reads them from end to end.

func packRows(
  _ columns: Int, _ depth: Int, _ source: UnsafePointer<Float>, _ sourceStride: Int,
  _ panels: UnsafeMutablePointer<Float>, _ panelStride: Int
) {
  var column = 0
  while column < columns {
    let width = min(tileColumns, columns - column)
    let panel = panels + column / tileColumns * panelStride
    let source = source + column
    if width == tileColumns {
      for d in 0..<depth {
        let row = source + d * sourceStride
        store(load(row), panel + d * tileColumns)
        store(load(row + lanes), panel + d * tileColumns + lanes)
      }
    } else {
      let lastVector = (width - 1) / lanes * lanes
      for d in 0..<depth {
        store(Vector(repeating: 0), panel + d * tileColumns + lastVector)
        copy(width, source + d * sourceStride, panel + d * tileColumns)
      }
    }
    column += tileColumns
  }
}

func packColumns(
  _ columns: Int, _ depth: Int, _ source: UnsafePointer<Float>, _ sourceStride: Int,
  _ panels: UnsafeMutablePointer<Float>, _ panelStride: Int
) {
  var column = 0
  while column < columns {
    let width = min(lanes, columns - column)
    let panel = panels + column / tileColumns * panelStride + column % tileColumns
    let source = source + column * sourceStride
    for d in stride(from: 0, to: depth, by: lanes) {
      transpose(
        source + d, sourceStride, width: width, depth: min(lanes, depth - d),
        panel + d * tileColumns, tileColumns)
    }
    column += lanes
  }
}
