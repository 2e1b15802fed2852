#ifndef MS_RTC_RTP_WIRE_FORMAT_HPP
#define MS_RTC_RTP_WIRE_FORMAT_HPP

// Depends on nothing but the standard library, so that wire-format.test.cpp can feed it
// hostile packets under sanitizers within seconds.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace RTC
{
	namespace RTP
	{
		/**
		 * The numbers that a remote endpoint negotiated, by the numbers that the Router
		 * uses inside.
		 */
		struct WireFormat
		{
			static constexpr uint8_t NoPayloadType{ 0xFFu };

			uint32_t mediaSsrc{ 0 };
			uint32_t rtxSsrc{ 0 };
			// Already the one of the remote endpoint in every RTX packet.
			uint8_t rtxPayloadType{ NoPayloadType };
			// By payload type of the Router, NoPayloadType if not negotiated.
			std::array<uint8_t, 128> payloadTypes{};
			// By header extension id of the Router, 0 if not negotiated.
			std::array<uint8_t, 16> extensionIds{};

			WireFormat()
			{
				this->payloadTypes.fill(NoPayloadType);
			}

			bool SupportsPayloadType(uint8_t payloadType) const
			{
				return payloadType < this->payloadTypes.size() && this->payloadTypes[payloadType] != NoPayloadType;
			}

			uint8_t GetExtensionId(uint8_t routerId) const
			{
				return routerId < this->extensionIds.size() ? this->extensionIds[routerId] : 0u;
			}

			/**
			 * Whether every number is the Router's own, so that writing changes nothing.
			 *
			 * @param routerExtensionIds - Those that packets in the Router may carry.
			 */
			template<size_t N>
			bool ChangesNothing(const std::array<uint8_t, N>& routerExtensionIds) const
			{
				for (const auto id : routerExtensionIds)
				{
					if (GetExtensionId(id) != id)
					{
						return false;
					}
				}

				for (size_t payloadType{ 0 }; payloadType < this->payloadTypes.size(); ++payloadType)
				{
					const auto wirePayloadType = this->payloadTypes[payloadType];

					if (wirePayloadType != NoPayloadType && wirePayloadType != payloadType)
					{
						return false;
					}
				}

				return true;
			}
		};

		/**
		 * Where the parts of a RTP packet begin (RFC 3550 sections 5.1 and 5.3.1).
		 */
		struct WireLayout
		{
			// Fixed header and CSRC list.
			size_t fixedLength{ 0 };
			// All before the payload.
			size_t headerLength{ 0 };
			bool hasExtension{ false };

			/**
			 * @returns false if the packet is shorter than it claims to be.
			 */
			bool Read(const uint8_t* packet, size_t length)
			{
				if (length < 12u)
				{
					return false;
				}

				this->fixedLength  = 12u + (4u * (packet[0] & 0x0Fu));
				this->headerLength = this->fixedLength;
				this->hasExtension = (packet[0] & 0x10u) != 0u;

				if (this->hasExtension)
				{
					if (length < this->fixedLength + 4u)
					{
						return false;
					}

					const size_t words = (size_t{ packet[this->fixedLength + 2u] } << 8) | packet[this->fixedLength + 3u];

					this->headerLength += 4u + (4u * words);
				}

				return this->headerLength <= length;
			}
		};

		/**
		 * Writes the negotiated ids into a block of header extension elements (RFC 8285
		 * sections 4.2 and 4.3). An element that was not negotiated, or whose id does not
		 * fit the form, becomes padding.
		 *
		 * @param elementHeaderLength - 1 for the One-Byte form, 2 for the Two-Bytes form.
		 * @returns false if an element exceeds the block.
		 */
		inline bool WriteWireExtensionIds(
		  uint8_t* block, size_t length, size_t elementHeaderLength, const WireFormat& format)
		{
			const bool oneByte = elementHeaderLength == 1u;
			size_t pos{ 0 };

			while (pos < length)
			{
				if (block[pos] == 0u)
				{
					++pos;

					continue;
				}

				const uint8_t id = oneByte ? block[pos] >> 4 : block[pos];

				// Receivers stop here, so nothing behind may stay.
				if (oneByte && (id == 0u || id == 15u))
				{
					std::memset(block + pos, 0, length - pos);

					return true;
				}

				if (length - pos < elementHeaderLength)
				{
					return false;
				}

				const size_t valueLength   = oneByte ? (block[pos] & 0x0Fu) + 1u : block[pos + 1u];
				const size_t elementLength = elementHeaderLength + valueLength;

				if (length - pos < elementLength)
				{
					return false;
				}

				const uint8_t wireId = format.GetExtensionId(id);

				if (wireId == 0u || (oneByte && wireId > 14u))
				{
					std::memset(block + pos, 0, elementLength);
				}
				else
				{
					block[pos] = oneByte ? static_cast<uint8_t>((wireId << 4) | (block[pos] & 0x0Fu)) : wireId;
				}

				pos += elementLength;
			}

			return true;
		}

		inline bool WriteWireExtensions(uint8_t* packet, const WireLayout& layout, const WireFormat& format)
		{
			if (!layout.hasExtension)
			{
				return true;
			}

			const uint32_t profile = (uint32_t{ packet[layout.fixedLength] } << 8) | packet[layout.fixedLength + 1u];
			const size_t begin     = layout.fixedLength + 4u;

			if (profile == 0xBEDEu)
			{
				return WriteWireExtensionIds(packet + begin, layout.headerLength - begin, 1u, format);
			}

			if ((profile & 0xFFF0u) == 0x1000u)
			{
				return WriteWireExtensionIds(packet + begin, layout.headerLength - begin, 2u, format);
			}

			// No form of RFC 8285, so it holds no ids.
			return true;
		}

		/**
		 * Rewrites an outgoing packet from the Router's numbers to the negotiated ones, in
		 * place and without changing its length.
		 *
		 * @returns false if the packet must not be sent; its contents are undefined then.
		 */
		inline bool WriteWireFormat(uint8_t* packet, size_t length, const WireFormat& format)
		{
			WireLayout layout;

			if (!layout.Read(packet, length))
			{
				return false;
			}

			const uint32_t ssrc = (uint32_t{ packet[8] } << 24) | (uint32_t{ packet[9] } << 16) |
			                      (uint32_t{ packet[10] } << 8) | packet[11];

			if (ssrc == format.mediaSsrc)
			{
				const uint8_t payloadType = packet[1] & 0x7Fu;

				if (!format.SupportsPayloadType(payloadType))
				{
					return false;
				}

				packet[1] = static_cast<uint8_t>((packet[1] & 0x80u) | format.payloadTypes[payloadType]);
			}

			return WriteWireExtensions(packet, layout, format);
		}

		/**
		 * Turns a probation packet into padding of the RTX stream, in place and without
		 * changing its length, so that any endpoint accounts for it (RFC 3550 section 5.1:
		 * the last byte counts the padding, so the payload may not exceed 255 bytes).
		 *
		 * @returns false if the packet must not be sent; its contents are undefined then.
		 */
		inline bool WriteWireProbe(
		  uint8_t* packet, size_t length, const WireFormat& format, uint16_t sequenceNumber)
		{
			WireLayout layout;

			if (format.rtxPayloadType == WireFormat::NoPayloadType || !layout.Read(packet, length))
			{
				return false;
			}

			const size_t payloadLength = length - layout.headerLength;

			if (payloadLength > 255u || !WriteWireExtensions(packet, layout, format))
			{
				return false;
			}

			packet[1]  = format.rtxPayloadType;
			packet[2]  = static_cast<uint8_t>(sequenceNumber >> 8);
			packet[3]  = static_cast<uint8_t>(sequenceNumber);
			packet[8]  = static_cast<uint8_t>(format.rtxSsrc >> 24);
			packet[9]  = static_cast<uint8_t>(format.rtxSsrc >> 16);
			packet[10] = static_cast<uint8_t>(format.rtxSsrc >> 8);
			packet[11] = static_cast<uint8_t>(format.rtxSsrc);

			if (payloadLength > 0u)
			{
				packet[0] |= 0x20u;
				packet[length - 1u] = static_cast<uint8_t>(payloadLength);
			}

			return true;
		}
	} // namespace RTP
} // namespace RTC

#endif
