import CKernels

// Maximum pooling of windows side by side, channels last, a row at a time. Vectors run over channels;
// what they write beyond the last one belongs to the next pixel, and is written again. The last row
// of all has nothing behind it, and goes element by element.

/// The largest elements of windows of 2 x 2 pixels, two pixels apart, without padding.
func maximumOfSquares(
  _ windows: UnsafePointer<CWindows>, _ images: Int, _ x: UnsafePointer<Float>, _ isReLU: Bool,
  _ y: UnsafeMutablePointer<Float>, _ places: UnsafeMutablePointer<Int32>
) {
  let w = windows.pointee
  let line = w.width * w.channels
  let outputs = images * w.outputHeight * w.outputWidth * w.channels
  let end = images * w.height * line
  var output = 0
  for image in 0..<images {
    for oy in 0..<w.outputHeight {
      let start = image * w.height * line + 2 * oy * line
      let isLast =
        start + 2 * line + lanes > end || output + w.outputWidth * w.channels + lanes > outputs
      let row = SquareRow(
        x: x + start, y: y + output, places: places + output, first: 2 * oy * line, line: line,
        windows: w.outputWidth, channels: w.channels, isReLU: isReLU)
      if isLast {
        row.maximumOfElements()
      } else if w.channels <= lanes / 2 {
        row.maximumOfFewChannels()
      } else {
        row.maximum()
      }
      output += w.outputWidth * w.channels
    }
  }
}

/// A row of windows of 2 x 2 pixels.
private struct SquareRow {
  var x: UnsafePointer<Float>
  var y: UnsafeMutablePointer<Float>
  var places: UnsafeMutablePointer<Int32>
  /// Where in its image the first pixel is.
  var first: Int
  /// Floats of a row of pixels.
  var line: Int
  var windows: Int
  var channels: Int
  /// Whether elements that are not positive have no place.
  var isReLU: Bool

  @inline(never)
  func maximum() { maximum(isNarrow: false) }

  @inline(never)
  func maximumOfFewChannels() { maximum(isNarrow: true) }

  @inline(__always)
  private func maximum(isNarrow: Bool) {
    let (x, y, places, channels, line) = (x, y, places, channels, line)
    for window in 0..<windows {
      var c = 0
      while c < channels {
        let at = 2 * window * channels + c
        let origin = laneNumbers &+ IntVector(repeating: Int32(truncatingIfNeeded: first + at))
        var best = load(x + at)
        var place = origin
        // The first NaN wins.
        for i in 1..<4 {
          let distance = i / 2 * line + i % 2 * channels
          let value = load(x + at + distance)
          let isBetter = .!(value .<= best) .& (best .== best)
          best.replace(with: value, where: isBetter)
          let here = origin &+ IntVector(repeating: Int32(truncatingIfNeeded: distance))
          place.replace(with: here, where: isBetter)
        }
        if isReLU {
          place.replace(with: IntVector(repeating: -1), where: .!(best .> Vector(repeating: 0)))
        }
        let output = window * channels + c
        storeChannels(best, y + output, isNarrow)
        storeChannels(
          unsafeBitCast(place, to: Vector.self),
          UnsafeMutableRawPointer(places + output).assumingMemoryBound(to: Float.self), isNarrow)
        c += lanes
      }
    }
  }

  @inline(never)
  func maximumOfElements() {
    for output in 0..<windows * channels {
      let at = 2 * (output / channels) * channels + output % channels
      var (best, place) = (x[at], at)
      for i in 1..<4 {
        let other = at + i / 2 * line + i % 2 * channels
        if !(x[other] <= best) && best == best { (best, place) = (x[other], other) }
      }
      y[output] = best
      places[output] = isReLU && !(best > 0) ? -1 : Int32(truncatingIfNeeded: first + place)
    }
  }
}

/// dx = dy at its place, 0 elsewhere, for windows side by side without padding: every element is
/// written, in the order of memory.
func maximumOfTilesGradient(
  _ windows: UnsafePointer<CWindows>, _ images: Int, _ places: UnsafePointer<Int32>,
  _ dy: UnsafePointer<Float>, _ dx: UnsafeMutablePointer<Float>
) {
  let w = windows.pointee
  let line = w.width * w.channels
  let outputLine = w.outputWidth * w.channels
  let end = images * w.height * line
  let outputs = images * w.outputHeight * outputLine
  let covered = outputLine * w.kernelWidth
  let rows = w.outputHeight * w.kernelHeight
  var start = 0
  var output = 0
  for _ in 0..<images {
    for y in 0..<rows {
      let row = TileRow(
        places: places + output, dy: dy + output, dx: dx + start + y * line, first: y * line,
        windows: w.outputWidth, width: w.kernelWidth, channels: w.channels)
      if start + (y + 1) * line + lanes > end || output + outputLine + lanes > outputs {
        row.fillRowElements()
      } else if w.channels <= lanes / 2 {
        row.fillRowOfFewChannels()
      } else {
        row.fillRow()
      }
      if covered < line {
        (dx + start + y * line + covered).update(repeating: 0, count: line - covered)
      }
      if (y + 1) % w.kernelHeight == 0 { output += outputLine }
    }
    if rows < w.height {
      (dx + start + rows * line).update(repeating: 0, count: (w.height - rows) * line)
    }
    start += w.height * line
  }
}

/// A row of pixels of windows side by side.
private struct TileRow {
  var places: UnsafePointer<Int32>
  var dy: UnsafePointer<Float>
  var dx: UnsafeMutablePointer<Float>
  /// Where in its image the first pixel is.
  var first: Int
  var windows: Int
  /// Pixels of a window beside each other.
  var width: Int
  var channels: Int

  @inline(never)
  func fillRow() { fillRow(isNarrow: false) }

  @inline(never)
  func fillRowOfFewChannels() { fillRow(isNarrow: true) }

  @inline(__always)
  private func fillRow(isNarrow: Bool) {
    let (places, dy, dx, channels, width) = (places, dy, dx, channels, width)
    let zero = Vector(repeating: 0)
    var at = 0
    for window in 0..<windows {
      let output = window * channels
      for _ in 0..<width {
        var c = 0
        while c < channels {
          let here = laneNumbers &+ IntVector(repeating: Int32(truncatingIfNeeded: first + at + c))
          let place = UnsafeRawPointer(places + output + c).loadUnaligned(as: IntVector.self)
          let gradient = zero.replacing(with: load(dy + output + c), where: place .== here)
          storeChannels(gradient, dx + at + c, isNarrow)
          c += lanes
        }
        at += channels
      }
    }
  }

  @inline(never)
  func fillRowElements() {
    for i in 0..<windows * width * channels {
      let output = i / (width * channels) * channels + i % channels
      dx[i] = places[output] == Int32(truncatingIfNeeded: first + i) ? dy[output] : 0
    }
  }
}

/// Writes a vector, or its lower half where that has all channels: as many stores reach over the end
/// of a cache line as need to, which costs several times what others do.
@inline(__always)
private func storeChannels(
  _ v: Vector, _ p: UnsafeMutablePointer<Float>, _ isNarrow: Bool
) {
  if isNarrow {
    UnsafeMutableRawPointer(p).storeBytes(of: v.lowHalf, as: HalfVector.self)
  } else {
    store(v, p)
  }
}
