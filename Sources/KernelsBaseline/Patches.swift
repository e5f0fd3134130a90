import CKernels

// Images and the patches that a convolution multiplies, channels last: a row of a patch is a run of
// neighbouring floats of the image, cut short at its borders.

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
  _ images: UnsafePointer<Float>, _ block: UnsafeMutablePointer<Float>, _ stride: Int
) {
  let w = windows.pointee
  let rowLength = w.kernelWidth * w.channels
  var (image, oy, ox) = place(w, first)
  for row in 0..<rows {
    let out = block + row * stride
    var ky = from / rowLength
    while ky * rowLength < to {
      let start = ky * rowLength
      let wanted = max(0, from - start)..<min(rowLength, to - start)
      let (inside, offset) = windowRow(w, image: image, oy: oy, ox: ox, ky: ky)
      let low = min(max(wanted.lowerBound, inside.lowerBound), wanted.upperBound)
      let high = max(low, min(wanted.upperBound, inside.upperBound))
      let target = out + start - from
      clear(low - wanted.lowerBound, target + wanted.lowerBound)
      copyRun(high - low, images + offset + low, target + low)
      clear(wanted.upperBound - high, target + high)
      ky += 1
    }
    ox += 1
    if ox == w.outputWidth { (ox, oy) = (0, oy + 1) }
    if oy == w.outputHeight { (oy, image) = (0, image + 1) }
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
      addRun(
        inside.count, block + row * stride + ky * rowLength + inside.lowerBound,
        images + offset + inside.lowerBound)
    }
    ox += 1
    if ox == w.outputWidth { (ox, oy) = (0, oy + 1) }
    if oy == w.outputHeight { (oy, image) = (0, image + 1) }
  }
}

// Runs are short: a handful of floats for the first layer's single channel. Vectors of falling
// width cover them without a loop over single floats.

@inline(__always)
private func copyRun(
  _ count: Int, _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>
) {
  var i = 0
  while i + 16 <= count {
    move(source + i, target + i, SIMD16<Float>.self)
    i += 16
  }
  if i + 8 <= count {
    move(source + i, target + i, SIMD8<Float>.self)
    i += 8
  }
  if i + 4 <= count {
    move(source + i, target + i, SIMD4<Float>.self)
    i += 4
  }
  if i + 2 <= count {
    move(source + i, target + i, SIMD2<Float>.self)
    i += 2
  }
  if i < count { target[i] = source[i] }
}

@inline(__always)
private func clear(_ count: Int, _ target: UnsafeMutablePointer<Float>) {
  for i in 0..<max(0, count) { target[i] = 0 }
}

@inline(__always)
private func addRun(
  _ count: Int, _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>
) {
  var i = 0
  while i + 16 <= count {
    accumulate(source + i, target + i, SIMD16<Float>.self)
    i += 16
  }
  if i + 8 <= count {
    accumulate(source + i, target + i, SIMD8<Float>.self)
    i += 8
  }
  if i + 4 <= count {
    accumulate(source + i, target + i, SIMD4<Float>.self)
    i += 4
  }
  if i + 2 <= count {
    accumulate(source + i, target + i, SIMD2<Float>.self)
    i += 2
  }
  if i < count { target[i] += source[i] }
}

@inline(__always)
private func move<V: SIMD>(
  _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ type: V.Type
) where V.Scalar == Float {
  UnsafeMutableRawPointer(target).storeBytes(
    of: UnsafeRawPointer(source).loadUnaligned(as: V.self), as: V.self)
}

@inline(__always)
private func accumulate<V: SIMD>(
  _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ type: V.Type
) where V.Scalar == Float {
  let sum =
    UnsafeRawPointer(target).loadUnaligned(as: V.self)
    + UnsafeRawPointer(source).loadUnaligned(as: V.self)
  UnsafeMutableRawPointer(target).storeBytes(of: sum, as: V.self)
}
