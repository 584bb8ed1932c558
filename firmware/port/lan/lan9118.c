#include "lan9118.h"

#include "board.h"
#include "lwip/pbuf.h"

/* Registers: LAN9118 data sheet, chapter 5. */
#define LAN(offset) REG((uint32_t)LAN_BASE + (offset))
#define RX_DATA LAN(0x00)
#define TX_DATA LAN(0x20)
#define RX_STATUS LAN(0x40)
#define RX_STATUS_PEEK LAN(0x44)
#define TX_STATUS LAN(0x48)
#define IRQ_CFG LAN(0x54)
#define INT_STS LAN(0x58)
#define INT_EN LAN(0x5C)
#define FIFO_INT LAN(0x68)
#define RX_CFG LAN(0x6C)
#define TX_CFG LAN(0x70)
#define HW_CFG LAN(0x74)
#define RX_DP_CTRL LAN(0x78)
#define RX_FIFO_INF LAN(0x7C)
#define TX_FIFO_INF LAN(0x80)
#define MAC_CSR_CMD LAN(0xA4)
#define MAC_CSR_DATA LAN(0xA8)

#define IRQ_ON 0x111u     /* enabled, active high, push-pull */
#define INT_RX_LEVEL 0x8u /* there are more frames than FIFO_INT says */
#define HW_RESET 0x1u
#define HW_STORE_FORWARD 0x00100000u
#define HW_TX_5K 0x00050000u /* of the 16 KiB for both directions */
#define TX_ON 0x2u
#define TX_FIRST 0x2000u
#define TX_LAST 0x1000u
#define TX_OFFSET(n) ((uint32_t)(n) << 16)
#define RX_ERROR 0x8000u
#define RX_SIZE(status) ((status) >> 16 & 0x3FFFu)
#define RX_FAST_FORWARD 0x80000000u
#define CHECKSUM 4u

#define MAC_BUSY 0x80000000u
#define MAC_READ 0x40000000u
enum { MAC_CONTROL = 1, MAC_ADDRESS_HIGH = 2, MAC_ADDRESS_LOW = 3, MII_ACCESS = 6, MII_DATA = 7 };
#define MAC_RECEIVE 0x4u
#define MAC_TRANSMIT 0x8u
#define MAC_FULL_DUPLEX 0x00100000u
#define MII_PHY (1u << 11)
#define MII_REGISTER(n) ((uint32_t)(n) << 6)
#define MII_WRITE 0x2u
#define MII_BUSY 0x1u
enum { PHY_CONTROL = 0, PHY_STATUS = 1 };
#define PHY_NEGOTIATE 0x1200u /* and begin now */
#define PHY_LINK 0x4u

static void mac_write(uint32_t which, uint32_t value) {
    MAC_CSR_DATA = value;
    MAC_CSR_CMD = MAC_BUSY | which;
    while ((MAC_CSR_CMD & MAC_BUSY) != 0) {
    }
}

static uint32_t mac_read(uint32_t which) {
    MAC_CSR_CMD = MAC_BUSY | MAC_READ | which;
    while ((MAC_CSR_CMD & MAC_BUSY) != 0) {
    }
    return MAC_CSR_DATA;
}

static void mii(uint32_t access) {
    mac_write(MII_ACCESS, MII_PHY | MII_BUSY | access);
    while ((mac_read(MII_ACCESS) & MII_BUSY) != 0) {
    }
}

void lan9118_start(const uint8_t mac[6]) {
    HW_CFG = HW_RESET;
    while ((HW_CFG & HW_RESET) != 0) {
    }
    HW_CFG = HW_STORE_FORWARD | HW_TX_5K;
    mac_write(MII_DATA, PHY_NEGOTIATE);
    mii(MII_REGISTER(PHY_CONTROL) | MII_WRITE);
    mac_write(MAC_ADDRESS_LOW, (uint32_t)mac[0] | (uint32_t)mac[1] << 8 | (uint32_t)mac[2] << 16 |
                                   (uint32_t)mac[3] << 24);
    mac_write(MAC_ADDRESS_HIGH, (uint32_t)mac[4] | (uint32_t)mac[5] << 8);
    mac_write(MAC_CONTROL, MAC_FULL_DUPLEX | MAC_TRANSMIT | MAC_RECEIVE);
    TX_CFG = TX_ON;
    RX_CFG = 0;
    FIFO_INT = 0; /* the first frame is more than none */
    IRQ_CFG = IRQ_ON;
    INT_EN = 0;
    NVIC_ENABLE(LAN_IRQ) = NVIC_BIT(LAN_IRQ);
}

static void discard(uint32_t size) {
    uint32_t words = (size + 3) / 4;
    if (words >= 4) { /* the controller can skip by itself only what is that long */
        RX_DP_CTRL = RX_FAST_FORWARD;
        while ((RX_DP_CTRL & RX_FAST_FORWARD) != 0) {
        }
        return;
    }
    while (words-- > 0) {
        (void)RX_DATA;
    }
}

/* Buffers of a chain are whole words, all but the last. */
static void read_frame(struct pbuf *frame) {
    for (struct pbuf *part = frame; part != NULL; part = part->next) {
        uint32_t *out = part->payload;
        for (uint32_t left = (part->len + 3u) / 4; left > 0; left--) {
            *out++ = RX_DATA;
        }
    }
}

struct pbuf *lan9118_receive(void) {
    while ((RX_FIFO_INF >> 16 & 0xFF) != 0) {
        uint32_t peeked = RX_STATUS_PEEK;
        struct pbuf *frame = NULL;
        if ((peeked & RX_ERROR) == 0) {
            frame = pbuf_alloc(PBUF_RAW, (u16_t)RX_SIZE(peeked), PBUF_POOL);
            if (frame == NULL) {
                return NULL;
            }
        }
        uint32_t size = RX_SIZE(RX_STATUS);
        if (frame == NULL) {
            discard(size);
            continue;
        }
        read_frame(frame);
        pbuf_realloc(frame, (u16_t)(size - CHECKSUM));
        return frame;
    }
    return NULL;
}

/* Segments may begin anywhere in a word: the controller leaves out what is before. */
bool lan9118_send(const struct pbuf *frame) {
    uint32_t room = frame->tot_len, tag = TX_FIRST;
    for (const struct pbuf *part = frame; part != NULL; part = part->next) {
        room += 16; /* two commands, and words that are used in part */
    }
    while ((TX_FIFO_INF >> 16 & 0xFF) != 0) {
        (void)TX_STATUS; /* nobody asks what became of a frame: TCP sees to it */
    }
    if ((TX_FIFO_INF & 0xFFFF) < room) {
        return false;
    }
    for (const struct pbuf *part = frame; part != NULL; part = part->next) {
        uintptr_t start = (uintptr_t)part->payload;
        uint32_t offset = start & 3u;
        const uint32_t *words = (const uint32_t *)(start - offset);
        TX_DATA = TX_OFFSET(offset) | tag | (part->next == NULL ? TX_LAST : 0) | part->len;
        TX_DATA = frame->tot_len;
        for (uint32_t left = (offset + part->len + 3u) / 4; left > 0; left--) {
            TX_DATA = *words++;
        }
        tag = 0;
    }
    return true;
}

bool lan9118_has_carrier(void) {
    mii(MII_REGISTER(PHY_STATUS)); /* the first reading says what has been, the second what is */
    mii(MII_REGISTER(PHY_STATUS));
    return (mac_read(MII_DATA) & PHY_LINK) != 0;
}

bool lan9118_listen(void) {
    INT_STS = INT_RX_LEVEL;
    INT_EN = INT_RX_LEVEL;
    return (RX_FIFO_INF >> 16 & 0xFF) == 0;
}

void Lan_Handler(void) {
    INT_EN = 0; /* until lan9118_listen: the main loop has been woken */
}
