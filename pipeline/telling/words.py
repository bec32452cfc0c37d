"""Words: an order's items, status and figures as people read them. Pure."""

from pipeline.amounts import total
from storage.orders import ItemId, OrderState, OrderStatus

# X12 element 235, the codes met in orders; any other is shown as it is
_ITEMS = {
    "BP": "Buyer part", "IN": "Buyer item", "PI": "Buyer item", "CB": "Buyer catalog no.",
    "IT": "Buyer style", "BO": "Colour", "IZ": "Size", "VP": "Seller part", "VN": "Seller item",
    "VC": "Seller catalog no.", "VA": "Seller style", "VE": "Seller colour", "SZ": "Seller size",
    "SK": "SKU", "UP": "UPC", "UI": "UPC", "UK": "GTIN", "UA": "UPC case", "EN": "EAN", "EO": "EAN",
    "IB": "ISBN", "MG": "Maker part", "ST": "Style",
}  # fmt: skip


def item_words(item: ItemId) -> str:
    """A product id with what kind of id it is."""
    return f"{_ITEMS.get(item.qualifier, item.qualifier)} {item.id}".strip()


def status_words(order: OrderState) -> str:
    """The order's status with the figures that make it so."""
    counted = [(name, figure(order, name)) for name in ("fulfilled", "cancelled", "open")]
    match order.status:
        case OrderStatus.CANCELLED:
            return "Cancelled: nothing is open"
        case OrderStatus.FULFILLED:
            return "Fulfilled: everything ordered was fulfilled"
        case OrderStatus.COMPLETE:
            return "Complete, nothing is open: " + ", ".join(
                f"{said} {name}" for name, said in counted if said
            )
        case status:
            word = "Open" if status is OrderStatus.OPEN else "Partly fulfilled"
            return f"{word}: " + ", ".join(f"{said} {name}" for name, said in counted if said)


def figure(order: OrderState, counter: str) -> str:
    """One counter of the whole order in words; "" when it is nought."""
    return total((getattr(line, counter), line.unit) for line in order.lines)
