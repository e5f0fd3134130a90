import CKernels

// What convolutions that gather no patches need around their products.

/// Writes an image's pixels into the middle of its padding.
func padImage(
  _ windows: UnsafePointer<CWindows>, _ image: UnsafePointer<Float>,
  _ padded: UnsafeMutablePointer<Float>, _ stride: Int
) {
  let w = windows.pointee
  let count = w.width * w.channels
  let target = padded + w.paddingTop * stride + w.paddingLeft * w.channels
  for y in 0..<w.height { copyRow(count, image + y * count, target + y * stride) }
}

/// Adds a row of windows up to a row of the image, each pixel's windows in their order: vector by
/// vector of the image, since adding window by window would wait for what was just stored.
func addWindows(
  _ windows: UnsafePointer<CWindows>, _ block: UnsafePointer<Float>, _ blockStride: Int,
  _ row: UnsafeMutablePointer<Float>
) {
  let w = windows.pointee
  let inside = w.width * w.channels
  let step = w.strideX * w.channels
  let count = w.kernelWidth * w.channels
  var first = 0
  var next = 0
  while next < inside {
    // The last vector ends with the row; what it has in common with the one before is the same.
    let i = max(0, min(next, inside - lanes))
    let place = i + w.paddingLeft * w.channels
    while first > 0 && (first - 1) * step + count > place { first -= 1 }
    while first * step + count <= place { first += 1 }
    var sum = Vector(repeating: 0)
    var window = first
    while window < w.outputWidth && window * step < place + lanes {
      let offset = place - window * step
      let part = load(block + window * blockStride + offset)
      sum.replace(with: sum + part, where: isLane(below: count - offset))
      window += 1
    }
    if inside >= lanes {
      store(sum, row + i)
    } else {
      store(sum, row, count: inside)
    }
    next += lanes
  }
}

/// Copies `count` floats, a row of an image: without a call, which for so few would take longer.
@inline(__always)
private func copyRow(
  _ count: Int, _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>
) {
  var i = 0
  while i + lanes <= count {
    store(load(source + i), target + i)
    i += lanes
  }
  // The last vector again, as far as there is one; what it has in common is written twice.
  if i < count {
    if count >= lanes {
      store(load(source + count - lanes), target + count - lanes)
    } else {
      copy(count, source, target)
    }
  }
}

/// The kernels of convolutions without patches, for the table.
func convolutionTable() -> CConvolutions {
  CConvolutions(
    pad: padImage, addWindows: addWindows, packPairs: packPairs, multiplyPairs: multiplyPairs,
    addPairs: addPairs, unpackPairs: unpackPairs)
}
