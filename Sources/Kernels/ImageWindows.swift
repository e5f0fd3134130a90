import CKernels

/// The windows through which a convolution or a pooling sees an image: where they begin, and how
/// many there are.
///
/// An image is height x width pixels of `channels` floats, row-major, channels last. A batch has an
/// image in every row of a matrix.
public struct ImageWindows: Hashable, Sendable {
  public let height: Int
  public let width: Int
  public let channels: Int
  /// Pixels of a window.
  public let kernelHeight: Int
  public let kernelWidth: Int
  /// Pixels from one window to the next, down and to the right.
  public let strideY: Int
  public let strideX: Int
  /// Pixels, all zero, that are put around the image.
  public let padding: Padding

  public struct Padding: Hashable, Sendable {
    public var top = 0
    public var left = 0
    public var bottom = 0
    public var right = 0

    public init(top: Int = 0, left: Int = 0, bottom: Int = 0, right: Int = 0) {
      (self.top, self.left, self.bottom, self.right) = (top, left, bottom, right)
    }
  }

  /// - Precondition: every extent and stride is positive; padding is not negative and less than the
  ///   kernel, so that each window sees a pixel; the kernel is not larger than the padded image.
  public init(
    height: Int, width: Int, channels: Int, kernelHeight: Int, kernelWidth: Int,
    strideY: Int = 1, strideX: Int = 1, padding: Padding = Padding()
  ) {
    precondition(height > 0 && width > 0 && channels > 0 && strideY > 0 && strideX > 0)
    precondition(height * width * channels <= Int32.max)
    precondition(
      (0..<kernelHeight).contains(padding.top) && (0..<kernelHeight).contains(padding.bottom)
        && (0..<kernelWidth).contains(padding.left) && (0..<kernelWidth).contains(padding.right))
    precondition(
      kernelHeight <= height + padding.top + padding.bottom
        && kernelWidth <= width + padding.left + padding.right)
    (self.height, self.width, self.channels) = (height, width, channels)
    (self.kernelHeight, self.kernelWidth) = (kernelHeight, kernelWidth)
    (self.strideY, self.strideX, self.padding) = (strideY, strideX, padding)
  }

  /// Windows below each other, and beside each other.
  public var outputHeight: Int {
    (height + padding.top + padding.bottom - kernelHeight) / strideY + 1
  }
  public var outputWidth: Int {
    (width + padding.left + padding.right - kernelWidth) / strideX + 1
  }

  /// Windows of an image.
  public var count: Int { outputHeight * outputWidth }
  /// Floats of an image, and of a window.
  public var imageSize: Int { height * width * channels }
  public var patchSize: Int { kernelHeight * kernelWidth * channels }

  /// Floats of an image with its padding.
  var paddedSize: Int {
    (height + padding.top + padding.bottom) * (width + padding.left + padding.right) * channels
  }

  /// Whether the windows are the image's pixels, one by one.
  var arePixels: Bool {
    kernelHeight == 1 && kernelWidth == 1 && strideY == 1 && strideX == 1
  }

  /// Whether the windows lie side by side, without padding.
  var areTiles: Bool {
    kernelHeight == strideY && kernelWidth == strideX && padding == Padding()
  }

  /// Whether they are tiles of 2 x 2 pixels.
  public var areSquares: Bool { areTiles && kernelHeight == 2 && kernelWidth == 2 }

  var raw: CWindows {
    CWindows(
      height: height, width: width, channels: channels, kernelHeight: kernelHeight,
      kernelWidth: kernelWidth, strideY: strideY, strideX: strideX, paddingTop: padding.top,
      paddingLeft: padding.left, outputHeight: outputHeight, outputWidth: outputWidth)
  }
}
