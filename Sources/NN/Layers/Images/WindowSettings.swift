import Kernels

/// How a layer that looks at images through windows was asked to do it, before the image's size is
/// known: the settings that convolutions and poolings share.
struct WindowSettings: Sendable {
  /// Pixels, down and to the right.
  let size: [Int]
  let stride: [Int]
  let padding: Padding

  enum Padding: Sendable {
    /// As much as it takes for an output for each `stride` pixels of the input; an odd pixel goes
    /// to the bottom and to the right.
    case same
    /// Pixels at the top and bottom, and at the left and right.
    case pixels([Int])
  }

  /// - Parameters:
  ///   - key: what the windows' size is called.
  ///   - defaultStride: that of the windows' size if not given: windows side by side.
  init(_ settings: SettingReader, size key: String, defaultStride: Int? = nil) {
    let range = 1...65536
    let size = settings.integers(key, count: 2, in: range)
    self.size = size
    stride = settings.integers(
      "stride", count: 2, default: defaultStride.map { [$0, $0] } ?? size, in: range)
    padding = settings.padding(below: size)
  }

  /// The windows on images of `shape`.
  /// - Throws: `ShapeError` where that is no image, or one that is smaller than a window.
  func windows(on shape: Shape) throws -> ImageWindows {
    let image = try ImageExtents(shape)
    let extents = [image.height, image.width]
    var before = [0, 0]
    var after = [0, 0]
    for axis in 0..<2 {
      switch padding {
      case .pixels(let pixels): (before[axis], after[axis]) = (pixels[axis], pixels[axis])
      case .same:
        let outputs = (extents[axis] + stride[axis] - 1) / stride[axis]
        let total = max(0, (outputs - 1) * stride[axis] + size[axis] - extents[axis])
        (before[axis], after[axis]) = (total / 2, total - total / 2)
      }
      if extents[axis] + before[axis] + after[axis] < size[axis] {
        throw ShapeError(
          needs: "images that are not smaller than its \(size[0])x\(size[1]) windows",
          found: shape)
      }
    }
    return ImageWindows(
      height: image.height, width: image.width, channels: image.channels, kernelHeight: size[0],
      kernelWidth: size[1], strideY: stride[0], strideX: stride[1],
      padding: .init(top: before[0], left: before[1], bottom: after[0], right: after[1]))
  }
}

/// A shape as that of an image, channels last; one of height and width alone has one channel.
struct ImageExtents {
  let height: Int
  let width: Int
  let channels: Int

  init(_ shape: Shape) throws {
    guard (2...3).contains(shape.dimensions.count), shape.dimensions.allSatisfy({ $0 > 0 }) else {
      throw ShapeError(needs: "images of height x width or height x width x channels", found: shape)
    }
    guard shape.count <= Int32.max else {
      throw ShapeError(needs: "images of fewer than 2^31 elements", found: shape)
    }
    (height, width) = (shape.dimensions[0], shape.dimensions[1])
    channels = shape.dimensions.count == 3 ? shape.dimensions[2] : 1
  }
}

extension SettingReader {
  /// `same`, `none`, or pixels that are fewer than a window's, so that every window sees the image.
  fileprivate func padding(below size: [Int]) -> WindowSettings.Padding {
    value(
      "padding", default: WindowSettings.Padding.pixels([0, 0]),
      "same, none, or a number of pixels less than the window's", stopgap: .same,
      parse: { setting in
        switch setting.value {
        case .text("same"): return .same
        case .text("none"): return .pixels([0, 0])
        default:
          let pixels = SettingReader.integers(setting, count: 2, in: 0...65536)
          guard let pixels, pixels[0] < size[0], pixels[1] < size[1] else { return nil }
          return .pixels(pixels)
        }
      },
      record: { padding in
        switch padding {
        case .same: RawSetting(.text("same"))
        case .pixels(let pixels): RawSetting(.list(pixels.map { RawSetting(.integer($0)) }))
        }
      })
  }
}
