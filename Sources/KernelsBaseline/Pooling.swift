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
  let end = x + images * w.height * line
  let outputs = images * w.outputHeight * w.outputWidth * w.channels
  for image in 0..<images {
    let source = x + image * w.height * line
    for oy in 0..<w.outputHeight {
      for ox in 0..<w.outputWidth {
        let output = outputOffset(w, image: image, oy: oy, ox: ox)
        let (rows, columns) = pixels(w, oy: oy, ox: ox)
        let first = offset(
          w, image: 0, oy: oy, ox: ox, ky: rows.lowerBound, kx: columns.lowerBound)
        var c = 0
        while c < w.channels {
          let count = min(lanes, w.channels - c)
          let pixel = source + first + c
          var best = load(pixel, count: count, fill: 0, end: end)
          var place = IntVector(repeating: 0)
          for row in 0..<rows.count {
            for column in 0..<columns.count {
              let distance = row * line + column * w.channels
              let value = load(pixel + distance, count: count, fill: 0, end: end)
              // The first NaN wins.
              let isBetter = .!(value .<= best) .& (best .== best)
              best.replace(with: value, where: isBetter)
              place.replace(
                with: IntVector(repeating: Int32(truncatingIfNeeded: distance)), where: isBetter)
            }
          }
          place &+= laneNumbers &+ IntVector(repeating: Int32(truncatingIfNeeded: first + c))
          // What is written beyond the last channel is the next window's, and written again.
          let room = min(lanes, outputs - output - c)
          store(best, y + output + c, atMost: room)
          store(place, places + output + c, atMost: room)
          c += lanes
        }
      }
    }
  }
}

@inline(__always)
private func store(_ v: IntVector, _ p: UnsafeMutablePointer<Int32>, atMost count: Int) {
  if count >= lanes {
    UnsafeMutableRawPointer(p).storeBytes(of: v, as: IntVector.self)
  } else {
    for lane in 0..<count { p[lane] = v[lane] }
  }
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
  let line = w.width * w.channels
  let end = x + images * w.height * line
  let outputs = images * w.outputHeight * w.outputWidth * w.channels
  for image in 0..<images {
    for oy in 0..<w.outputHeight {
      for ox in 0..<w.outputWidth {
        let output = outputOffset(w, image: image, oy: oy, ox: ox)
        let (rows, columns) = pixels(w, oy: oy, ox: ox)
        let first = offset(
          w, image: image, oy: oy, ox: ox, ky: rows.lowerBound, kx: columns.lowerBound)
        let share = Vector(repeating: 1 / Float(rows.count * columns.count))
        var c = 0
        while c < w.channels {
          let count = min(lanes, w.channels - c)
          var sum = Vector(repeating: 0)
          for row in 0..<rows.count {
            for column in 0..<columns.count {
              let pixel = x + first + c + row * line + column * w.channels
              sum += load(pixel, count: count, fill: 0, end: end)
            }
          }
          // What is written beyond the last channel is the next window's, and written again.
          store(sum * share, y + output + c, atMost: min(lanes, outputs - output - c))
          c += lanes
        }
      }
    }
  }
}

func averageOfWindowsGradient(
  _ windows: UnsafePointer<CWindows>, _ images: Int, _ dy: UnsafePointer<Float>,
  _ dx: UnsafeMutablePointer<Float>
) {
  let w = windows.pointee
  let line = w.width * w.channels
  let end = dy + images * w.outputHeight * w.outputWidth * w.channels
  for image in 0..<images {
    for oy in 0..<w.outputHeight {
      for ox in 0..<w.outputWidth {
        let output = outputOffset(w, image: image, oy: oy, ox: ox)
        let (rows, columns) = pixels(w, oy: oy, ox: ox)
        let first = offset(
          w, image: image, oy: oy, ox: ox, ky: rows.lowerBound, kx: columns.lowerBound)
        let share = Vector(repeating: 1 / Float(rows.count * columns.count))
        var c = 0
        while c < w.channels {
          let count = min(lanes, w.channels - c)
          let part = share * load(dy + output + c, count: count, fill: 0, end: end)
          for row in 0..<rows.count {
            for column in 0..<columns.count {
              let pixel = dx + first + c + row * line + column * w.channels
              store(load(pixel, atMost: count) + part, pixel, atMost: count)
            }
          }
          c += lanes
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
    average: averageOfWindows, averageGradient: averageOfWindowsGradient,
    maximumOfSquares: maximumOfSquares, maximumOfTilesGradient: maximumOfTilesGradient)
}
