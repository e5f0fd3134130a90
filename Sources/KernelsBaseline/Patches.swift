import CKernels

// Images and the patches that a convolution multiplies, channels last: a row of a patch is a run of
// neighbouring floats of the image, cut short at its borders.

/// Floats that `gatherPatches` may write behind its last patch, or read behind the padded rows.
let patchSlack = 16

/// Where row `ky` of a window meets the image: elements `inside` of the row's kernelWidth *
/// channels are at `offset` + element, counted from the batch's start. Empty where it lies outside.
@inline(__always)
private func windowRow(
  _ w: CWindows, image: Int, oy: Int, ox: Int, ky: Int
) -> (inside: Range<Int>, offset: Int) {
  let y = oy * w.strideY + ky - w.paddingTop
  let left = ox * w.strideX - w.paddingLeft
  let first = max(0, -left)
  let last = min(w.kernelWidth, w.width - left)
  if y < 0 || y >= w.height || first >= last { return (0..<0, 0) }
  return (
    first * w.channels..<last * w.channels, ((image * w.height + y) * w.width + left) * w.channels
  )
}

/// The window's place: its image, row and column.
@inline(__always)
private func place(_ w: CWindows, _ index: Int) -> (image: Int, oy: Int, ox: Int) {
  let perImage = w.outputHeight * w.outputWidth
  let rest = index % perImage
  return (index / perImage, rest / w.outputWidth, rest % w.outputWidth)
}

func gatherPatches(
  _ windows: UnsafePointer<CWindows>, _ first: Int, _ rows: Int, _ from: Int, _ to: Int,
  _ images: UnsafePointer<Float>, _ padded: UnsafeMutablePointer<Float>,
  _ block: UnsafeMutablePointer<Float>, _ stride: Int
) {
  let w = windows.pointee
  let perImage = w.outputHeight * w.outputWidth
  let rowLength = w.kernelWidth * w.channels
  let paddedStride = ((w.outputWidth - 1) * w.strideX + w.kernelWidth) * w.channels
  let isWhole = from == 0 && to == w.kernelHeight * rowLength
  var index = first
  while index < first + rows {
    let begin = place(w, index)
    var (oy, ox) = (begin.oy, begin.ox)
    let end = min(first + rows, (begin.image + 1) * perImage)
    let top = oy * w.strideY
    let bottom = place(w, end - 1).oy * w.strideY + w.kernelHeight
    let source = images + begin.image * w.height * w.width * w.channels
    pad(w, source, rows: top..<bottom, padded, stride: paddedStride)
    while index < end {
      let window = padded + (oy * w.strideY - top) * paddedStride + ox * w.strideX * w.channels
      let out = block + (index - first) * stride - from
      var line = window
      if isWhole && rowLength <= 8 {
        var target = out
        for _ in 0..<w.kernelHeight {
          move(line, target, SIMD8<Float>.self)
          target += rowLength
          line += paddedStride
        }
      } else {
        var start = 0
        while start < to {
          if start + rowLength > from {
            let low = max(from - start, 0)
            copyOver(min(rowLength, to - start) - low, line + low, out + start + low)
          }
          start += rowLength
          line += paddedStride
        }
      }
      index += 1
      ox += 1
      if ox == w.outputWidth { (ox, oy) = (0, oy + 1) }
    }
  }
}

/// Copies some rows of an image with the padding around it.
/// - Parameter rows: counted from the padding's top.
@inline(__always)
private func pad(
  _ w: CWindows, _ image: UnsafePointer<Float>, rows: Range<Int>,
  _ padded: UnsafeMutablePointer<Float>, stride: Int
) {
  let left = w.paddingLeft * w.channels
  let inside = min(w.width * w.channels, stride - left)
  for row in rows {
    let out = padded + (row - rows.lowerBound) * stride
    let y = row - w.paddingTop
    if y < 0 || y >= w.height {
      out.update(repeating: 0, count: stride)
    } else {
      out.update(repeating: 0, count: left)
      (out + left).update(from: image + y * w.width * w.channels, count: inside)
      (out + left + inside).update(repeating: 0, count: stride - left - inside)
    }
  }
}

/// Copies a run of a few floats, and up to 15 more: what comes behind is written later, or is room
/// to spare.
@inline(__always)
private func copyOver(
  _ count: Int, _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>
) {
  var i = 0
  while i < count {
    move(source + i, target + i, SIMD16<Float>.self)
    i += 16
  }
}

func scatterPatches(
  _ windows: UnsafePointer<CWindows>, _ first: Int, _ rows: Int, _ block: UnsafePointer<Float>,
  _ stride: Int, _ images: UnsafeMutablePointer<Float>
) {
  let w = windows.pointee
  let rowLength = w.kernelWidth * w.channels
  var (image, oy, ox) = place(w, first)
  for row in 0..<rows {
    for ky in 0..<w.kernelHeight {
      let (inside, offset) = windowRow(w, image: image, oy: oy, ox: ox, ky: ky)
      add(
        inside.count, block + row * stride + ky * rowLength + inside.lowerBound,
        images + offset + inside.lowerBound)
    }
    ox += 1
    if ox == w.outputWidth { (ox, oy) = (0, oy + 1) }
    if oy == w.outputHeight { (oy, image) = (0, image + 1) }
  }
}

@inline(__always)
private func move<V: SIMD>(
  _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ type: V.Type
) where V.Scalar == Float {
  UnsafeMutableRawPointer(target).storeBytes(
    of: UnsafeRawPointer(source).loadUnaligned(as: V.self), as: V.self)
}
