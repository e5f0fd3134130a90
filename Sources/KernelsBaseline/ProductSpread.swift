import CKernels

// The left operand of a product. Tiles read it where it lies, and spread each element over a vector
// as they load it.

// Without AVX no instruction does that. Shuffles do, but in the units that multiply and add: there
// the operand may be spread beforehand, once for all columns.
#if arch(x86_64) && !KERNELS_AVX2 && !KERNELS_AVX512
  let spreadsLeft = true
#else
  let spreadsLeft = false
#endif

/// Writes a left operand tile by tile, for each step of the depth a vector of every row.
func spreadLeft(
  _ rows: Int, _ depth: Int, _ source: UnsafePointer<Float>, _ rowStride: Int, _ depthStride: Int,
  _ block: UnsafeMutablePointer<Float>
) {
  let tiles = tileCount(rows)
  for tile in 0..<tiles {
    let row = firstRow(tile, of: tiles, rows)
    let height = firstRow(tile + 1, of: tiles, rows) - row
    var target = block + row * depth * lanes
    for d in 0..<depth {
      let source = source + row * rowStride + d * depthStride
      for i in 0..<height {
        store(Vector(repeating: source[i * rowStride]), target)
        target += lanes
      }
    }
  }
}
