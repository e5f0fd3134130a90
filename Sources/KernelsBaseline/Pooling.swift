import CKernels

// Pooling, channels last: vectors, and the innermost loops, run over channels.

/// Those pixels of a window that lie in the image, by row and column of the window.
@inline(__always)
private func pixels(_ w: CWindows, oy: Int, ox: Int) -> (rows: Range<Int>, columns: Range<Int>) {
  let (top, left) = (oy * w.strideY - w.paddingTop, ox * w.strideX - w.paddingLeft)
  let (firstRow, firstColumn) = (max(0, -top), max(0, -left))
  return (
    firstRow..<max(firstRow, min(w.kernelHeight, w.height - top)),
    firstColumn..<max(firstColumn, min(w.kernelWidth, w.width - left))
  )
}

/// Where pixel (ky, kx) of a window is, counted in floats from the batch's start.
@inline(__always)
private func offset(_ w: CWindows, image: Int, oy: Int, ox: Int, ky: Int, kx: Int) -> Int {
  let y = oy * w.strideY + ky - w.paddingTop
  let x = ox * w.strideX + kx - w.paddingLeft
  return ((image * w.height + y) * w.width + x) * w.channels
}

/// The window's number in the batch times its channels.
@inline(__always)
private func outputOffset(_ w: CWindows, image: Int, oy: Int, ox: Int) -> Int {
  ((image * w.outputHeight + oy) * w.outputWidth + ox) * w.channels
}

func maximumOfWindows(
  _ windows: UnsafePointer<CWindows>, _ images: Int, _ x: UnsafePointer<Float>,
  _ y: UnsafeMutablePointer<Float>, _ places: UnsafeMutablePointer<Int32>
) {
  let w = windows.pointee
  let line = w.width * w.channels
  for image in 0..<images {
    let source = x + image * w.height * line
    for oy in 0..<w.outputHeight {
      for ox in 0..<w.outputWidth {
        let output = outputOffset(w, image: image, oy: oy, ox: ox)
        let (best, place) = (y + output, places + output)
        let (rows, columns) = pixels(w, oy: oy, ox: ox)
        let first = offset(
          w, image: 0, oy: oy, ox: ox, ky: rows.lowerBound, kx: columns.lowerBound)
        let (height, width) = (rows.count, columns.count)
        var c = 0
        while c + 16 <= w.channels {
          maximum(
            source, first + c, height, line, width, w.channels, best + c, place + c,
            SIMD16<Float>.self)
          c += 16
        }
        if c + 8 <= w.channels {
          maximum(
            source, first + c, height, line, width, w.channels, best + c, place + c,
            SIMD8<Float>.self)
          c += 8
        }
        if c + 4 <= w.channels {
          maximum(
            source, first + c, height, line, width, w.channels, best + c, place + c,
            SIMD4<Float>.self)
          c += 4
        }
        while c < w.channels {
          maximum(source, first + c, height, line, width, w.channels, best + c, place + c)
          c += 1
        }
      }
    }
  }
}

/// The largest elements of a window of height x width pixels, of as many channels as a vector has
/// lanes: those from `first` on, and from there at every `step` and `line`.
@inline(__always)
private func maximum<V: SIMD>(
  _ image: UnsafePointer<Float>, _ first: Int, _ height: Int, _ line: Int, _ width: Int,
  _ step: Int, _ y: UnsafeMutablePointer<Float>, _ places: UnsafeMutablePointer<Int32>,
  _ type: V.Type
)
where
  V.Scalar == Float, V.MaskStorage.Scalar == Int32, V.MaskStorage.MaskStorage == V.MaskStorage
{
  var best = UnsafeRawPointer(image + first).loadUnaligned(as: V.self)
  var place = V.MaskStorage(repeating: 0)
  for row in 0..<height {
    for column in 0..<width {
      let distance = row * line + column * step
      let pixel = UnsafeRawPointer(image + first + distance).loadUnaligned(as: V.self)
      // The first NaN wins.
      let isBetter = .!(pixel .<= best) .& (best .== best)
      best.replace(with: pixel, where: isBetter)
      place.replace(with: Int32(truncatingIfNeeded: distance), where: isBetter)
    }
  }
  UnsafeMutableRawPointer(y).storeBytes(of: best, as: V.self)
  for lane in 0..<V.scalarCount {
    places[lane] = place[lane] &+ Int32(truncatingIfNeeded: first + lane)
  }
}

/// The same for one channel.
@inline(__always)
private func maximum(
  _ image: UnsafePointer<Float>, _ first: Int, _ height: Int, _ line: Int, _ width: Int,
  _ step: Int, _ y: UnsafeMutablePointer<Float>, _ places: UnsafeMutablePointer<Int32>
) {
  var place = first
  var best = image[first]
  for row in 0..<height {
    for column in 0..<width {
      let offset = first + row * line + column * step
      let isBetter = !(image[offset] <= best) && best == best
      best = isBetter ? image[offset] : best
      place = isBetter ? offset : place
    }
  }
  y.pointee = best
  places.pointee = Int32(truncatingIfNeeded: place)
}

func maximumOfWindowsGradient(
  _ windows: UnsafePointer<CWindows>, _ images: Int, _ places: UnsafePointer<Int32>,
  _ dy: UnsafePointer<Float>, _ dx: UnsafeMutablePointer<Float>
) {
  let w = windows.pointee
  let outputs = w.outputHeight * w.outputWidth * w.channels
  for image in 0..<images {
    let target = dx + image * w.height * w.width * w.channels
    for output in image * outputs..<(image + 1) * outputs {
      target[Int(places[output])] += dy[output]
    }
  }
}

func averageOfWindows(
  _ windows: UnsafePointer<CWindows>, _ images: Int, _ x: UnsafePointer<Float>,
  _ y: UnsafeMutablePointer<Float>
) {
  let w = windows.pointee
  for image in 0..<images {
    for oy in 0..<w.outputHeight {
      for ox in 0..<w.outputWidth {
        let sum = y + outputOffset(w, image: image, oy: oy, ox: ox)
        for c in 0..<w.channels { sum[c] = 0 }
        let (rows, columns) = pixels(w, oy: oy, ox: ox)
        for ky in rows {
          for kx in columns {
            let pixel = x + offset(w, image: image, oy: oy, ox: ox, ky: ky, kx: kx)
            for c in 0..<w.channels { sum[c] += pixel[c] }
          }
        }
        let share = 1 / Float(max(1, rows.count * columns.count))
        for c in 0..<w.channels { sum[c] *= share }
      }
    }
  }
}

func averageOfWindowsGradient(
  _ windows: UnsafePointer<CWindows>, _ images: Int, _ dy: UnsafePointer<Float>,
  _ dx: UnsafeMutablePointer<Float>
) {
  let w = windows.pointee
  for image in 0..<images {
    for oy in 0..<w.outputHeight {
      for ox in 0..<w.outputWidth {
        let gradient = dy + outputOffset(w, image: image, oy: oy, ox: ox)
        let (rows, columns) = pixels(w, oy: oy, ox: ox)
        let share = 1 / Float(max(1, rows.count * columns.count))
        for ky in rows {
          for kx in columns {
            let pixel = dx + offset(w, image: image, oy: oy, ox: ox, ky: ky, kx: kx)
            for c in 0..<w.channels { pixel[c] += gradient[c] * share }
          }
        }
      }
    }
  }
}

/// The kernels over images, for the table.
func imageTable() -> CImages {
  CImages(
    slack: patchSlack, gather: gatherPatches, scatter: scatterPatches,
    maximum: maximumOfWindows, maximumGradient: maximumOfWindowsGradient,
    average: averageOfWindows, averageGradient: averageOfWindowsGradient)
}
