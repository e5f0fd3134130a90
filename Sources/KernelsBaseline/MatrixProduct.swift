// The register-blocked inner kernel of the matrix product, and the packing that feeds it
// (Goto & van de Geijn, ACM TOMS 2008; BLIS, ACM TOMS 2015).

// Accumulators fill the vector registers, less two for a row of b and one for an element of a:
//
//            b0        b1          two vectors of the packed row of b
//       +---------+---------+
//   a0  |  acc 0  |  acc 1  |
//   a1  |  acc 2  |  acc 3  |      rows x 2 accumulators: 24 of AVX-512's and NEON's 32
//   ..  |   ...   |   ...   |      registers, 12 of the 16 of SSE and AVX2
//       +---------+---------+
#if KERNELS_AVX512 || arch(arm64)
  typealias Accumulators = InlineArray<24, Vector>
  let tileRows = 12
#else
  typealias Accumulators = InlineArray<12, Vector>
  let tileRows = 6
#endif
let tileColumns = 2 * lanes

func multiplyTile(
  _ depth: Int, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
  _ c: UnsafeMutablePointer<Float>, _ stride: Int, _ accumulate: Bool
) {
  var acc = Accumulators(repeating: Vector(repeating: 0))
  var a = a
  var b = b
  for _ in 0..<depth {
    let b0 = load(b)
    let b1 = load(b + lanes)
    for i in 0..<tileRows {
      let element = Vector(repeating: a[i])
      acc[2 * i] = multiplyAdd(acc[2 * i], element, b0)
      acc[2 * i + 1] = multiplyAdd(acc[2 * i + 1], element, b1)
    }
    a += tileRows
    b += tileColumns
  }
  if accumulate {
    for i in 0..<tileRows {
      let row = c + i * stride
      store(load(row) + acc[2 * i], row)
      store(load(row + lanes) + acc[2 * i + 1], row + lanes)
    }
  } else {
    for i in 0..<tileRows {
      let row = c + i * stride
      store(acc[2 * i], row)
      store(acc[2 * i + 1], row + lanes)
    }
  }
}

func packRows(
  _ width: Int, _ valid: Int, _ depth: Int, _ source: UnsafePointer<Float>, _ stride: Int,
  _ panel: UnsafeMutablePointer<Float>
) {
  for d in 0..<depth {
    let row = source + d * stride
    let out = panel + d * width
    for j in 0..<valid { out[j] = row[j] }
    for j in valid..<width { out[j] = 0 }
  }
}

func packColumns(
  _ width: Int, _ valid: Int, _ depth: Int, _ source: UnsafePointer<Float>, _ stride: Int,
  _ panel: UnsafeMutablePointer<Float>
) {
  // A cache line's worth of depth at a time: each line of the source is read once, and the part of
  // the panel that is written stays in the first-level cache.
  let block = 16
  var d = 0
  while d < depth {
    let end = d + block < depth ? d + block : depth
    for j in 0..<valid {
      let row = source + j * stride
      for e in d..<end { panel[e * width + j] = row[e] }
    }
    if valid < width {
      for e in d..<end {
        for j in valid..<width { panel[e * width + j] = 0 }
      }
    }
    d = end
  }
}
